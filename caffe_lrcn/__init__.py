"""Python reimplementation of Caffe with recurrent layers."""
