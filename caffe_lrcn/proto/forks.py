"""Fields and layer types that only forks of Caffe know, to say in errors whose they are."""
from __future__ import annotations

SSD, SEGNET, CTPN = "SSD", "SegNet", "CTPN"
CRF_RNN, FASTER_RCNN = "CRF-RNN", "Faster R-CNN"
FLOW, CONCEPTS = "appearance flow", "visual concepts"

# Name of a field or of a layer type -> the forks that have it.
FORKS: dict[str, tuple[str, ...]] = {
    "bn_param": (SEGNET,),
    "upsample_param": (SEGNET,),
    "dense_image_data_param": (SEGNET,),
    "Upsample": (SEGNET,),
    "BN": (SEGNET,),
    "DenseImageData": (SEGNET,),
    "norm_param": (SSD,),
    "permute_param": (SSD,),
    "prior_box_param": (SSD,),
    "multibox_loss_param": (SSD,),
    "detection_output_param": (SSD,),
    "annotated_data_param": (SSD,),
    "resize_param": (SSD, FLOW),
    "Normalize": (SSD,),
    "Permute": (SSD,),
    "PriorBox": (SSD,),
    "MultiBoxLoss": (SSD,),
    "DetectionOutput": (SSD,),
    "AnnotatedData": (SSD,),
    "multi_stage_meanfield_param": (CRF_RNN,),
    "MultiStageMeanfield": (CRF_RNN,),
    "transpose_param": (CTPN,),
    "reverse_param": (CTPN,),
    "lstm_param": (CTPN,),
    "Transpose": (CTPN,),
    "Reverse": (CTPN,),
    "Lstm": (CTPN,),
    "remapping": (FLOW,),
    "remapping_param": (FLOW,),
    "Remapping": (FLOW,),
    "mil_param": (CONCEPTS,),
    "mil_data_param": (CONCEPTS,),
    "MIL": (CONCEPTS,),
    "MILData": (CONCEPTS,),
    "roi_pooling_param": (FASTER_RCNN,),
    "smooth_l1_loss_param": (FASTER_RCNN,),
    "ROIPooling": (FASTER_RCNN,),
    "SmoothL1Loss": (FASTER_RCNN,),
}

# The LRCN branches spelt one field in a way of their own before it went upstream.
RENAMED = {"expose_hidden_state": "expose_hidden"}


def fork_hint(name: str) -> str | None:
    """Return a sentence naming the forks that have a field or layer type, or None."""
    if name in RENAMED:
        return f"An LRCN branch calls it so; here it is '{RENAMED[name]}'"
    forks = FORKS.get(name)
    return f"It belongs to a fork of Caffe ({' or '.join(forks)})" if forks else None
