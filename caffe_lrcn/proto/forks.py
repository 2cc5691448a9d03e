"""Fields, values and layer types that only forks of Caffe know, and how to say them here.

Most were found in the forks' public caffe.proto, layers, nets and solvers. A name that other
messages have too stands with its message: ``LayerParameter.engine``.
"""
from __future__ import annotations

_FORKS: dict[str, str] = {
    "Intel Caffe": """
        MKL2017 MKLDNN LayerParameter.engine NetParameter.engine SolverParameter.engine
        ConcatParameter.engine EltwiseParameter.engine BatchNormParameter.engine
        BatchNormParameter.filler BatchNormParameter.bias_filler BatchNormParameter.relu
        ConvolutionParameter.relu ConvolutionParameter.negative_slope
        compile_net_state bn_stats_batch_size multinode mn_activation_param
        mn_grad_compress_param MnActivation spatial_dropout_param SpatialDropout
        quantization_param disabled_update warmup_iter warmup_start_lr local_lr_auto
        local_gw_ratio plateau_winsize random_resize_param random_aspect_ratio_param
        DataParameter.shuffle split_param multinode_param ContinuationIndicator
        continuation_indicator_param RemoteData remote_data_param""",
    "NVIDIA Caffe": """
        scale_bias default_forward_type default_backward_type default_forward_math
        default_backward_math forward_type backward_type forward_math backward_math
        global_grad_scale global_grad_scale_adaptive reduce_buckets default_conv_algos_override
        conv_algos_override cudnn_math_override cudnn_convolution_algo_seeker
        larc larc_policy larc_eta larc_turbo local_lr_auto local_gw_ratio rampup_interval
        rampup_lr min_lr weight_decay_policy weight_decay_power momentum_policy momentum_power
        max_momentum max_epoch epoch_size test_epoch_size test_interval_epoch per_parameter_reduce
        store_blobs_in_old_format BatchNormParameter.scale_filler BatchNormParameter.bias_filler
        BatchNormParameter.engine use_gpu_transform img_rand_resize_lower img_rand_resize_upper
        rand_resize_ratio_lower rand_resize_ratio_upper vertical_stretch_lower
        vertical_stretch_upper horizontal_stretch_lower horizontal_stretch_upper
        interpolation_algo_up interpolation_algo_down allow_upscale parser_threads
        DataParameter.threads DataParameter.cache DataParameter.shuffle
        DetectNetTransformation detectnet_groundtruth_param detectnet_augmentation_param""",
    "C3D": """
        CONVOLUTION3D POOLING3D DECONVOLUTION3D VIDEO_DATA Convolution3D Pooling3D
        VIDEO_WITH_VOXEL_TRUTH_DATA convolution3d_param pooling3d_param
        kernel_depth temporal_pad temporal_stride use_image use_stream use_temporal_jitter
        show_data new_length num_truth_channels truth_scale
        ImageDataParameter.is_flow""",
    "soeaver's models": "ceil_mode",
    "DenseNet": "ceil_mode DenseBlock",
    "R-FCN": """
        PSROIPooling psroi_pooling_param SmoothL1LossOHEM SoftmaxWithLossOHEM BoxAnnotatorOHEM
        box_annotator_ohem_param pre_fixed_normalizer PRE_FIXED""",
    "Deformable ConvNets": """
        DeformableConvolution deformable_convolution_param DeformablePSROIPooling
        deformable_psroi_pooling_param""",
    "Faster R-CNN": "ROIPooling roi_pooling_param SmoothL1Loss smooth_l1_loss_param",
    "MNC": """
        ROIPooling roi_pooling_param ROIWarping roi_warping_param MaskPooling MaskResize
        mask_resize_param SmoothL1Loss smooth_l1_loss_param""",
    "MS-CNN": """
        BoxOutput box_output_param BoxGroupOutput DecodeBBox bbox_reg_param ROIPooling ROIAlign
        roi_pooling_param DetectionData detection_data_param Detection detection_param DetectionLoss
        DetectionAccuracy detection_accuracy_param ImageGtData image_gt_data_param""",
    "PSPNet": "Interp interp_param BN bn_param SegAccuracy seg_accuracy_param",
    "DeepLab": """
        hole hole_h hole_w Interp interp_param ImageSegData IMAGE_SEG_DATA label_type DenseCRF
        dense_crf_param MatWrite MatRead mat_write_param mat_read_param SegAccuracy
        seg_accuracy_param UniqueLabel unique_label_param DomainTransform domain_transform_param
        AdaptiveBiasChannel adaptive_bias_channel_param Padding padding_param softmaxloss_param
        strict_dim""",
    "depthwise convolution": """
        ConvolutionDepthwise DepthwiseConvolution DepthwiseConv ConvolutionDW ReLU6""",
    "ShuffleNet": "ShuffleChannel shuffle_channel_param",
    "SENet": "Axpy",
    "yjxiong": """
        multi_scale scale_ratios max_distort fix_crop more_fix_crop
        is_flow original_image upper_size upper_height upper_width dilation_h dilation_w BN
        bn_param SegData seg_data_param STOCHASTIC_SUM BatchReduction batch_reduction_param
        new_length num_segments richness sync_mode
        TransformationParameter.stride DataParameter.shuffle mem_param""",
    "SSD": """
        norm_param permute_param prior_box_param multibox_loss_param detection_output_param
        detection_evaluate_param annotated_data_param resize_param noise_param distort_param
        expand_param emit_constraint crop_h crop_w Normalize Permute PriorBox MultiBoxLoss
        DetectionOutput DetectionEvaluate AnnotatedData eval_type
        ap_version show_per_class_result plateau_winsize""",
    "YOLO": """
        Reorg reorg_param RegionLoss region_loss_param EvalDetection
        eval_detection_param YoloDetectionOutput yolo_detection_output_param
        Yolov3DetectionOutput yolov3_detection_output_param Yolov3 yolov3_param YoloV2Loss
        YoloV3Loss yolo_v2_loss_param yolo_v3_loss_param DetectionLoss detection_loss_param
        BoxData box_data_param Upsample upsample_param DataParameter.side""",
    "SegNet": """
        bn_param upsample_param dense_image_data_param Upsample BN DenseImageData UPSAMPLE
        DENSE_IMAGE_DATA class_weighting weight_by_label_freqs sample_weights_test
        bn_mode scale_train""",
    "DeconvNet": "Unpooling unpooling_param UNPOOLING unpool unpool_size bn_param BN",
    "CRF-RNN": "multi_stage_meanfield_param MultiStageMeanfield",
    "CTPN": "transpose_param reverse_param lstm_param Transpose Lstm",
    "CRNN": """
        CtcLoss CTCLoss ctc_loss_param CtcDecoder CTCDecoder ctc_decoder_param WarpCTCLoss
        warp_ctc_loss_param LabelsequenceAccuracy
        labelsequence_accuracy_param Transpose transpose_param Permute permute_param
        ContinuationIndicator continuation_indicator_param""",
    "junhyukoh": "lstm_param Lstm LstmUnit clipping_threshold",
    "visual concepts": "mil_param mil_data_param MIL MILData",
    "FlowNet": """
        CustomData FloData DataAugmentation FlowAugmentation GenerateAugmentationParameters
        Correlation Correlation1D L1Loss Resample Downsample FlowWarp ChannelNorm LpqLoss Accum
        BlackAugmentation Mean ImgReader ImgWriter FLOReader FLOWriter FloatReader FloatWriter
        augmentation_param coeff_schedule_param correlation_param l1_loss_param resample_param
        downsample_param flow_warp_param lpq_loss_param accum_param black_augmentation_param
        mean_param reader_param writer_param reshape_every_iter rand_permute rand_permute_seed
        rand_permute_order preselection_file preselection_label range_start range_end
        disk_reader_threads huge_video_dataset limit_samples
        DataParameter.slice_point DataParameter.encoding""",
    "OpenPose": """
        OPData OPVideoData op_transform_param CPMData CPM cpm_transform_param ImResize
        imresize_param Nms nms_param""",
    "caffe-heatmap": "DataHeatmap heatmap_data_param EuclideanLossHeatmap visualise",
    "caffe-face": "CenterLoss center_loss_param",
    "SphereFace": """
        MarginInnerProduct margin_inner_product_param LargeMarginInnerProduct
        large_margin_inner_product_param""",
    "NormFace": """
        Normalize normalize_param InnerDistance inner_distance_param LabelSpecificAdd
        label_specific_add_param LabelSpecificMargin label_specific_margin_param Flip flip_param
        GeneralContrastiveLoss general_contrastive_loss_param GeneralTripletLoss
        general_triplet_loss_param distance_type normalize_type min_is_better""",
    "a fork with a triplet loss": "TripletLoss triplet_loss_param",
    "spatial transformer": "SpatialTransformer st_param LocLoss",
    "a fork with extreme learning machines": "LS Transpose",
    "HED": "ImageLabelmapData image_labelmap_data_param",
    "Ristretto": """
        ConvolutionRistretto FcRistretto DeconvolutionRistretto LRNRistretto
        quantization_param""",
    "pruning": """
        CConvolution CInnerProduct cconvolution_param cinner_product_param SqueezeConvolution
        SqueezeInnerProduct squeeze_convolution_param squeeze_inner_product_param""",
}

_DEPTHWISE = ('Write type: "Convolution" with group: C in its convolution_param, C being the '
              "channels of the bottom")
_NO_ENGINE = "Leave it out: it says how to compute, not what"
_BN = ('"BatchNorm" and then "Scale" with bias_term: true do the same; its weights stand in '
       "another order")
_MIXED = "Leave it out: --math says the precision here"
_CTC = 'type: "Python" can hold such a loss'

# Name -> how its work is done here.
_INSTEAD: dict[str, str] = {
    "ceil_mode": "Pooling here always does as ceil_mode: true, so leave that out; for false cut "
                 "off what is too much with Slice or Crop, where the stride leaves a rest",
    **dict.fromkeys(("ConvolutionDepthwise", "DepthwiseConvolution", "DepthwiseConv",
                     "ConvolutionDW"), _DEPTHWISE),
    "ReLU6": 'Write type: "Clip" with clip_param { min: 0 max: 6 }',
    **dict.fromkeys(("MKL2017", "MKLDNN", "LayerParameter.engine", "NetParameter.engine",
                     "SolverParameter.engine", "ConcatParameter.engine",
                     "EltwiseParameter.engine", "BatchNormParameter.engine",
                     "cudnn_convolution_algo_seeker", "conv_algos_override",
                     "default_conv_algos_override", "cudnn_math_override", "use_gpu_transform",
                     "DataParameter.threads", "parser_threads",
                     "per_parameter_reduce", "reduce_buckets"), _NO_ENGINE),
    **dict.fromkeys(("default_forward_type", "default_backward_type", "default_forward_math",
                     "default_backward_math", "forward_type", "backward_type", "forward_math",
                     "backward_math", "global_grad_scale", "global_grad_scale_adaptive"), _MIXED),
    "scale_bias": 'Write a layer of type "Scale" with bias_term: true after it',
    **dict.fromkeys(("BN", "bn_param"), _BN),
    **dict.fromkeys(("hole", "hole_h", "hole_w"), "Here it is called dilation"),
    "new_length": "Here it is clip_length, in video_data_param",
    "dilation_h": "Write dilation twice: height, width",
    "dilation_w": "Write dilation twice: height, width",
    "Interp": 'A "Deconvolution" with a bilinear filler enlarges too, but with other weights at '
              "the borders",
    "ShuffleChannel": '"Slice" into single channels and "Concat" in the other order do the same',
    "ContinuationIndicator": '"DummyData" gives the same cont: a top of 1 x N zeros and one of '
                             '(T - 1) x N ones, joined by "Concat" with axis: 0',
    "Axpy": 'x, a, y: a "Scale" of x and a (N x C) with axis: 0, then an "Eltwise" sum with y',
    **dict.fromkeys(("pre_fixed_normalizer", "PRE_FIXED"),
                    "Write normalization: NONE, and loss_weight: 1 / pre_fixed_normalizer"),
    **dict.fromkeys(("class_weighting", "weight_by_label_freqs"),
                    '"InfogainLoss" with a diagonal matrix gives classes a weight'),
    **dict.fromkeys(("Lstm", "lstm_param"),
                    'Here it is type: "LSTM" with recurrent_param and a second bottom, cont; its '
                    "weights stand in another order"),
    **dict.fromkeys(("warmup_iter", "rampup_interval"),
                    "Train these iterations with a solver of their own and go on with --weights"),
    **dict.fromkeys(("CtcLoss", "CTCLoss", "WarpCTCLoss"), _CTC),
    "L1Loss": '"Eltwise" with coeff: 1 coeff: -1 and "Reduction" with operation: ASUM and a '
              "loss_weight do such work",
}

# The LRCN branches spelt one field in a way of their own before it went upstream.
_RENAMED = {"expose_hidden_state": "expose_hidden"}

# Layer types under the names that other programs give them.
_ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(("Linear", "Dense", "FullyConnected", "FC", "IP", "Affine"), "InnerProduct"),
    **dict.fromkeys(("Conv", "Conv2d", "Conv2D", "Conv1d", "Conv1D"), "Convolution"),
    **dict.fromkeys(("ConvTranspose2d", "Conv2DTranspose", "Deconv"), "Deconvolution"),
    **dict.fromkeys(("MaxPool", "MaxPool2d", "MaxPooling", "MaxPooling2D", "AvgPool", "AvgPool2d",
                     "AveragePooling2D"), "Pooling"),
    **dict.fromkeys(("BatchNormalization", "BatchNorm2d", "BatchNormLayer"), "BatchNorm"),
    **dict.fromkeys(("CrossEntropy", "CrossEntropyLoss", "SoftmaxCrossEntropy"),
                    "SoftmaxWithLoss"),
    **dict.fromkeys(("MSELoss", "MSE", "L2Loss"), "EuclideanLoss"),
    **dict.fromkeys(("Add", "Sum", "Mul", "Max", "ElementWise"), "Eltwise"),
    **dict.fromkeys(("Concatenate", "Cat"), "Concat"),
    "BCEWithLogitsLoss": "SigmoidCrossEntropyLoss",
    "Embedding": "Embed",
    "LeakyReLU": "ReLU",
    "LocalResponseNorm": "LRN",
    "SimpleRNN": "RNN",
    "Hdf5Data": "HDF5Data",
}


def fork_hint(name: str, message: str = "") -> str | None:
    """Return sentences about whose a name is, and what to write here; None if it is unknown.

    Args:
        name: a field, a value of an enum, or a layer type that Caffe lacks.
        message: the type of the message that a field stands in.
    """
    if name in _RENAMED:
        return f"An LRCN branch calls it so; here it is '{_RENAMED[name]}'"
    for key in (f"{message}.{name}", name):
        owners = [fork for fork, names in _FORKS.items() if key in names.split()]
        if owners:
            hint = f"It belongs to a fork of Caffe ({' or '.join(owners)})"
            return f"{hint}. {_INSTEAD[key]}" if key in _INSTEAD else hint
    return None


def old_type_hint(name: str) -> str | None:
    """Return the same about a type of the old 'layers': SEG_ACCURACY is SegAccuracy later on."""
    return fork_hint(name) or fork_hint("".join(map(str.capitalize, name.split("_"))))


def type_hint(name: str) -> str | None:
    """Return the same about a layer type, or Caffe's name for one that others call so."""
    if name in _ELSEWHERE:
        return f"Caffe calls it '{_ELSEWHERE[name]}'"
    return fork_hint(name)


def known_names() -> set[str]:
    """Return all names that a hint exists for, fields of common names as Message.field."""
    return {name for names in _FORKS.values() for name in names.split()}
