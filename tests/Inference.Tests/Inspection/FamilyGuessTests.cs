using System.Globalization;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;

namespace Detection.Inference.Tests.Inspection;

/// <summary>
/// Which rule tells the family of which outputs. The order of the rules is part of their meaning: outputs of one family may look like
/// those of another to a rule that is asked too early.
/// </summary>
public sealed class FamilyGuessTests
{
    /// <summary>
    /// Outputs without the batch dimension, and what else is known => the rule, the family with the number of its classes, manifest lines.
    /// The size is 416×416 unless given: 3549 cells on three maps, 3598 on four, 3615 on five.
    /// </summary>
    private const string Cases = """
        detection_boxes=100,4 detection_scores=100 detection_classes=100 num_detections= => TensorFlow: ssd -; outputs named as TensorFlow's detection models name them
        detection_boxes:0=100,4 detection_scores:0=100 detection_classes:0=100 num_detections:0= => TensorFlow: ssd -; outputs named as TensorFlow's detection models name them
        detection_boxes=100,4 detection_multiclass_scores=100,7 detection_scores=100 whole:=detection_multiclass_scores => TensorFlow: ssd -; outputs named as TensorFlow's detection models name them
        detection_boxes=100,4 raw_detection_boxes=1917,4 raw_detection_scores=1917,91 labels:=90 => TensorFlow: ssd -; outputs named as TensorFlow's detection models name them
        dets=100,5 labels=100 => MmDetection: ssd - normalisation; outputs named as MMDetection names them; {"head":{"background":"none","boxFormat":"x1y1x2y2","boxUnit":"pixels"}}
        dets=100,5 labels=100 masks=100,28,28 => MmDetection: ssd - normalisation; outputs named as MMDetection names them; {"head":{"background":"none","boxFormat":"x1y1x2y2","boxUnit":"pixels"}}
        det_boxes=100,4 det_scores=100 det_classes=100 num_dets=1 => DetNames: ssd -; outputs named as YOLOv6 and YOLOv7 name them with the suppression inside (for DAMO-YOLO, which names them so too, write "family": "damo-yolo"); {"head":{"background":"none","boxFormat":"x1y1x2y2","boxUnit":"pixels"},"input":{"resize":"letterboxCenter","padding":114}}
        dets=100,5 det_boxes=100,4 det_scores=100 det_classes=100 => MmDetection: ssd - normalisation; outputs named as MMDetection names them; {"head":{"background":"none","boxFormat":"x1y1x2y2","boxUnit":"pixels"}}
        det_boxes=100,4 det_scores=100 => no rule
        num_dets=1 boxes=100,4 scores=100 labels=100 => MmYolo: ssd - normalisation; outputs named as MMYOLO names them with the suppression inside; {"head":{"background":"none","boxFormat":"x1y1x2y2","boxUnit":"pixels"},"input":{"resize":"letterboxCenter","padding":114}}
        graph2_flat_predictions=50,7 whole:=graph2_flat_predictions => YoloNas: yolo-nas -; outputs named as super-gradients names them with the suppression inside
        graph2_num_predictions=1 graph2_pred_boxes=1000,4 graph2_pred_scores=1000 graph2_pred_classes=1000 => YoloNas: yolo-nas -; outputs named as super-gradients names them with the suppression inside
        num_predictions=1 pred_boxes=1000,4 pred_scores=1000 pred_classes=1000 => YoloNas: yolo-nas -; outputs named as super-gradients names them with the suppression inside
        pred_boxes=300,4 pred_scores=300,80 => no rule
        boxes=100,4 labels=100 scores=100 => BoxesScoresLabels: ssd -; labels, boxes and scores as torchvision names them; {"head":{"background":"first","boxFormat":"x1y1x2y2","boxUnit":"pixels"}}
        boxes=300,4 labels=300 scores=300 takes:=Size => BoxesScoresLabels: d-fine -; labels, boxes and scores, and an input for the size
        boxes=300,4 scores=80,300 selected_indices=100,3 => no rule
        pred_boxes=300,4 logits=300,2 labels:=2 => LogitsAndBoxes: rt-detr 2; logits for the labels alone
        pred_boxes=100,4 logits=100,3 labels:=2 => LogitsAndBoxes: detr 2; logits for the labels and "nothing"
        pred_boxes=100,4 logits=100,92 => LogitsAndBoxes: - -; write "family": "detr" (softmax, the last of 92 logits is "nothing") or "rt-detr" (a sigmoid for each of 92)
        pred_boxes=100,4 pred_logits=100,92 labels:=91 => LogitsAndBoxes: detr 91; logits for the labels and "nothing"
        pred_boxes=100,4 pred_logits=100,92 labels:=7 => LogitsAndBoxes: - -; write "family": "detr" (softmax, the last of 92 logits is "nothing") or "rt-detr" (a sigmoid for each of 92)
        dets=300,4 labels=300,3 labels:=3 => RfDetr: rt-detr 3; dets and labels as RF-DETR names them; {"input":{"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}}
        dets=300,4 labels=300,3 labels:=2 => RfDetr: rt-detr 2; dets and labels as RF-DETR names them; {"input":{"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]},"head":{"background":"last"}}
        dets=300,4 labels=300,3 => RfDetr: rt-detr 3; dets and labels as RF-DETR names them; {"input":{"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}}
        output=50,7 whole:=output => Yolov7Rows: ssd -; rows of picture, box, class and score as YOLOv7 exports them with the suppression inside; {"head":{"background":"none","boxFormat":"x1y1x2y2","boxUnit":"pixels"},"input":{"resize":"letterboxCenter","padding":114}}
        output=50,7 => no rule
        boxes=50,7 pred=3549,85 whole:=boxes => Yolov7Rows: ssd -; rows of picture, box, class and score as YOLOv7 exports them with the suppression inside; {"head":{"background":"none","boxFormat":"x1y1x2y2","boxUnit":"pixels"},"input":{"resize":"letterboxCenter","padding":114}}
        hm=80,104,104 wh=2,104,104 reg=2,104,104 => CenterNet: centernet 80; a heat map of scores and sizes, as CenterNet names them; {"head":{"scores":"none"}}
        hm=80,104,104 wh=2,104,104 reg=2,104,104 values:=logits => CenterNet: centernet 80; a heat map of logits and sizes, as CenterNet names them
        hm=2,104,104 wh=2,104,104 labels:=2 values:=logits => CenterNet: centernet 2; a heat map of logits and sizes, as CenterNet names them
        hm=80,52,52 wh=2,52,52 reg=2,52,52 => no rule
        hm=17,104,104 off=2,104,104 => no rule
        a=84,52,52 b=84,26,26 c=84,13,13 labels:=80 => RtmDet: - -; write "family": "rtmdet" and "head": { "decoded": true } for distances in pixels, as MMDetection's head leaves them, or false for distances in cells, as MMYOLO's
        a=80,52,52 b=80,26,26 c=80,13,13 d=4,52,52 e=4,26,26 f=4,13,13 => RtmDet: - -; write "family": "rtmdet" and "head": { "decoded": true } for distances in pixels, as MMDetection's head leaves them, or false for distances in cells, as MMYOLO's
        a=4,52,52 b=4,26,26 c=4,13,13 d=4,52,52 e=4,26,26 f=4,13,13 labels:=4 => RtmDet: - -; write "family": "rtmdet" and "head": { "decoded": true } for distances in pixels, as MMDetection's head leaves them, or false for distances in cells, as MMYOLO's
        a=2,52,52 b=4,52,52 c=2,26,26 d=4,26,26 e=2,13,13 f=4,13,13 => RtmDet: - -; write "family": "rtmdet" and "head": { "decoded": true } for distances in pixels, as MMDetection's head leaves them, or false for distances in cells, as MMYOLO's
        a=84,52,52 b=84,26,26 c=84,13,13 => no rule
        a=255,52,52 b=255,26,26 c=255,13,13 labels:=80 => no rule
        a=80,52,52 b=80,26,26 c=80,13,13 d=4,52,52 e=4,26,26 f=4,13,13 g=1,52,52 h=1,26,26 i=1,13,13 => no rule
        a=84,52,52 b=84,26,26 labels:=80 => no rule
        cls_8=2704,1 cls_16=676,1 cls_32=169,1 obj_8=2704,1 obj_16=676,1 obj_32=169,1 bbox_8=2704,4 bbox_16=676,4 bbox_32=169,4 kps_8=2704,10 kps_16=676,10 kps_32=169,10 => YuNet: yunet -; outputs cls, obj and bbox of each map, as YuNet names them; {"labels":["face"]}
        cls_8=2704,1 cls_16=676,1 cls_32=169,1 obj_8=2704,1 obj_16=676,1 obj_32=169,1 bbox_8=2704,4 bbox_16=676,4 bbox_32=169,4 labels:=1 => YuNet: yunet 1; outputs cls, obj and bbox of each map, as YuNet names them
        cls_8=2704,2 cls_16=676,2 cls_32=169,2 obj_8=2704,1 obj_16=676,1 obj_32=169,1 bbox_8=2704,4 bbox_16=676,4 bbox_32=169,4 => YuNet: yunet 2; outputs cls, obj and bbox of each map, as YuNet names them
        cls_8=2704,1 cls_16=676,1 cls_32=169,1 bbox_8=2704,4 bbox_16=676,4 bbox_32=169,4 => no rule
        loc=4385,14 conf=4385,2 iou=4385,1 size:=320x320 => no rule
        448=5408,1 471=1352,1 494=338,1 451=5408,4 474=1352,4 497=338,4 454=5408,10 477=1352,10 500=338,10 => Scrfd: scrfd -; scores and distances of two boxes in each cell of 3 maps; {"labels":["face"]}
        score_8=5408,1 score_16=1352,1 score_32=338,1 bbox_8=5408,4 bbox_16=1352,4 bbox_32=338,4 labels:=1 => Scrfd: scrfd 1; scores and distances of two boxes in each cell of 3 maps
        a=5408,2 b=1352,2 c=338,2 d=5408,4 e=1352,4 f=338,4 labels:=2 => Scrfd: scrfd 2; scores and distances of two boxes in each cell of 3 maps
        a=5408,2 b=1352,2 c=338,2 d=5408,4 e=1352,4 f=338,4 => no rule
        a=5408,1 b=1352,1 c=338,1 d=5408,4 e=1352,4 => no rule
        a=2704,1 b=676,1 c=169,1 d=2704,4 e=676,4 f=169,4 => no rule
        a=2704,1 b=676,1 c=169,1 d=49,1 e=16,1 f=2704,4 g=676,4 h=169,4 i=49,4 j=16,4 => Scrfd: scrfd -; scores and distances of one box in each cell of 5 maps; {"head":{"strides":[8,16,32,64,128]},"labels":["face"]}
        regression=32526,4 classification=32526,90 => AnchorTables: efficientdet 90; two outputs of 32526 anchors; {"head":{"outputs":{"regression":"regression","classification":"classification"}}}
        p3=8,52,52 a=32526,4 b=32526,2 c=32526,4 => AnchorTables: efficientdet 2; two outputs of 32526 anchors; {"head":{"outputs":{"regression":"a","classification":"b"}}}
        a=32526,4 b=32526,4 => AnchorTables: efficientdet 4; two outputs of 32526 anchors; {"head":{"outputs":{"regression":"a","classification":"b"}}}
        a=32526,4 b=32526,4 c=32526,4 => no rule
        regression=441936,4 classification=441936,90 size:=1536x1536 => AnchorTables: efficientdet 90; two outputs of 441936 anchors; {"head":{"outputs":{"regression":"regression","classification":"classification"},"anchorScale":5}}
        regression=32535,4 classification=32535,90 => no rule
        output=3549,80 943=3549,4 => DecodedTables: damo-yolo 80; scores, named output, and boxes of 3549 cells; {"head":{"outputs":{"scores":"output","boxes":"943"}}}
        904=3549,4 913=3549,80 => DecodedTables: - -; write "family": "yolo-nas" (a letterbox, values from 0 to 1) or "damo-yolo" (stretched, values from 0 to 255), for their scores and boxes have the same shapes
        913=2100,80 904=2100,4 size:=320x320 => DecodedTables: - -; write "family": "yolo-nas" (a letterbox, values from 0 to 1) or "damo-yolo" (stretched, values from 0 to 255), for their scores and boxes have the same shapes
        output=3549,4 943=3549,80 => DecodedTables: - -; write "family": "yolo-nas" (a letterbox, values from 0 to 1) or "damo-yolo" (stretched, values from 0 to 255), for their scores and boxes have the same shapes
        output=3549,4 943=3549,4 => DecodedTables: damo-yolo 4; scores, named output, and boxes of 3549 cells; {"head":{"outputs":{"scores":"output","boxes":"943"}}}
        cls_pred=3549,80 dis_pred=3549,32 => Pair: nanodet 80; two outputs of 3549 cells; {"head":{"outputs":{"scores":"cls_pred","distances":"dis_pred"},"strides":[8,16,32],"regMax":7,"cellOffset":0.5}}
        dis_pred=3549,44 cls_pred=3549,80 => Pair: nanodet 80; two outputs of 3549 cells; {"head":{"outputs":{"scores":"cls_pred","distances":"dis_pred"},"strides":[8,16,32],"regMax":10,"cellOffset":0.5}}
        a=3549,2 b=3549,32 labels:=2 => Pair: nanodet 2; two outputs of 3549 cells; {"head":{"outputs":{"scores":"a","distances":"b"},"strides":[8,16,32],"regMax":7,"cellOffset":0.5}}
        a=3549,32 b=3549,2 labels:=2 => Pair: nanodet 2; two outputs of 3549 cells; {"head":{"outputs":{"scores":"b","distances":"a"},"strides":[8,16,32],"regMax":7,"cellOffset":0.5}}
        a=3549,32 b=3549,2 => no rule
        a=3549,32 b=3549,32 labels:=32 => Pair: nanodet 32; two outputs of 3549 cells; {"head":{"outputs":{"scores":"a","distances":"b"},"strides":[8,16,32],"regMax":7,"cellOffset":0.5}}
        boxes=3549,64 classes=3549,6 labels:=6 => no rule
        boxes=3549,64 distances=3549,6 labels:=6 => no rule
        classes=3549,6 distances=3549,64 labels:=6 => Pair: nanodet 6; two outputs of 3549 cells; {"head":{"outputs":{"scores":"classes","distances":"distances"},"strides":[8,16,32],"regMax":15,"cellOffset":0.5}}
        boxes=3549,4 scores=3549,80 => DecodedTables: - -; write "family": "yolo-nas" (super-gradients), or "damo-yolo" with the "resize", "channels", "scale", "mean" and "std" of its test pipeline in "input" (mmdeploy), for both name scores and boxes in pixels so
        boxes=32526,4 scores=32526,80 => no rule
        cls=3598,2 dist=3598,32 => Pair: nanodet 2; two outputs of 3598 cells; {"head":{"outputs":{"scores":"cls","distances":"dist"},"strides":[8,16,32,64],"regMax":7,"cellOffset":0.5}}
        cls=3549,2 dist=3549,30 => no rule
        cls=3549,2 dist=3549,4 => DecodedTables: - -; write "family": "yolo-nas" (a letterbox, values from 0 to 1) or "damo-yolo" (stretched, values from 0 to 255), for their scores and boxes have the same shapes
        a=2704,2 b=2704,32 c=676,2 d=676,32 e=169,2 f=169,32 => PerMap: nanodet 2; two outputs for each of 3 maps; {"head":{"strides":[8,16,32],"regMax":7,"cellOffset":0.5}}
        a=2704,2 b=2704,44 c=676,2 d=676,44 e=169,2 f=169,44 labels:=2 => PerMap: nanodet 2; two outputs for each of 3 maps; {"head":{"strides":[8,16,32],"regMax":10,"cellOffset":0.5}}
        a=2704,32 b=2704,44 c=676,32 d=676,44 e=169,32 f=169,44 labels:=32 => PerMap: nanodet 32; two outputs for each of 3 maps; {"head":{"strides":[8,16,32],"regMax":10,"cellOffset":0.5}}
        a=2704,32 b=2704,44 c=676,32 d=676,44 e=169,32 f=169,44 => no rule
        a=2704,2 b=2704,32 c=676,2 d=676,32 e=169,2 f=169,32 g=49,2 h=49,32 => PerMap: nanodet 2 or picodet; two outputs for each of 4 maps; {"head":{"strides":[8,16,32,64],"regMax":7,"cellOffset":0}}
        a=2704,2 b=2704,32 c=676,2 d=676,32 e=169,2 f=169,32 labels:=5 => no rule
        a=2704,2 b=2704,32 c=676,2 d=676,32 output0=169,2 f=169,32 labels:=5 => no rule
        output0=300,84 labels:=80 author:=Ultralytics => Ultralytics: rt-detr 80; 300 queries in an Ultralytics export
        output0=300,6 labels:=2 author:=Ultralytics description:=Ultralytics_rtdetr-l_model => Ultralytics: rt-detr 2; 300 queries in an Ultralytics export
        output0=300,6 labels:=2 author:=Ultralytics => EndToEnd: yolov10 -; rows of a box, its score and its class
        output0=300,6 labels:=2 => EndToEnd: yolov10 -; rows of a box, its score and its class
        output0=300,6 => EndToEnd: yolov10 -; rows of a box, its score and its class
        output0=300,84 labels:=80 => no rule
        output0=1001,6 => no rule
        output0=10647,85 => AnchorGrid: yolov5 80; three anchors in each of 3549 cells
        output0=10794,85 => AnchorGrid: yolov5 80; three anchors in each of 3598 cells
        output0=10647,7 p3=3,52,52,7 p4=3,26,26,7 => AnchorGrid: yolov5 2; three anchors in each of 3549 cells
        boxes=10647,1,4 confs=10647,80 => no rule
        output0=10647,6 => AnchorGrid: yolov5 1; three anchors in each of 3549 cells
        output=84,3549 => Columns: yolov8 80; columns of 3549 cells
        output=84,3598 => Columns: yolov8 80; columns of 3598 cells
        output=6,3549 inner=12,7 => Columns: yolov8 2; columns of 3549 cells
        output0=4,3549 => Columns: yolov8 0; columns of 3549 cells
        output0=3549,84 labels:=80 => RowsOfYolov8: yolov8 80; rows of 3549 cells
        output0=3549,6 labels:=2 => RowsOfYolov8: yolov8 2; rows of 3549 cells
        output0=3549,85 => RowsByValues: yolox 80; one row for each of 3549 cells
        output0=3549,85 labels:=80 => RowsByValues: yolox 80; one row for each of 3549 cells
        output0=3549,85 labels:=80 values:=pixels => RowsByValues: yolox 80; one row for each of 3549 cells, in pixels; {"head":{"decoded":true}}
        output0=3549,85 labels:=80 values:=pixels-without-objectness => RowsByValues: yolov5 80; one row for each of 3549 cells, in pixels, without objectness, as YOLOv6
        output0=3549,7 values:=pixels-without-objectness => RowsByValues: yolov5 2; one row for each of 3549 cells, in pixels, without objectness, as YOLOv6
        output0=3549,34 labels:=2 => Rows: nanodet 2 or nanodet; one row for each of 3549 cells, scores first, as NanoDet; {"head":{"strides":[8,16,32],"regMax":7,"cellOffset":0.5}}
        output0=3549,46 labels:=2 => Rows: nanodet 2 or nanodet; one row for each of 3549 cells, scores first, as NanoDet; {"head":{"strides":[8,16,32],"regMax":10,"cellOffset":0.5}}
        output0=3549,34 values:=scores-first => Rows: nanodet 2 or nanodet; one row for each of 3549 cells, scores first, as NanoDet; {"head":{"strides":[8,16,32],"regMax":7,"cellOffset":0.5}}
        output0=3549,46 values:=scores-first => Rows: nanodet 2 or nanodet; one row for each of 3549 cells, scores first, as NanoDet; {"head":{"strides":[8,16,32],"regMax":10,"cellOffset":0.5}}
        output0=3549,34 => RowsByValues: yolox 29; one row for each of 3549 cells
        output0=3598,34 => no rule
        output0=3598,34 values:=scores-first => PlusRows: nanodet 2; one row for each of 3598 cells on four maps, scores first, as NanoDet-Plus; {"head":{"strides":[8,16,32,64],"regMax":7,"cellOffset":0}}
        output0=3598,34 labels:=29 => no rule
        output0=3598,34 labels:=29 values:=pixels-without-objectness => RowsOfYolov6: yolov5 29; one row for each of 3598 cells, in pixels, without objectness, as YOLOv6
        outputs=3598,85 values:=pixels-without-objectness => RowsOfYolov6: yolov5 80; one row for each of 3598 cells, in pixels, without objectness, as YOLOv6
        outputs=3598,85 values:=pixels => no rule
        output=3549,6 values:=boxes-with-class => DeepStream: deepstream -; a box, its score and its class in each of 3549 rows, as DeepStream-Yolo exports them
        output=3549,6 labels:=1 values:=boxes-with-class => DeepStream: deepstream -; a box, its score and its class in each of 3549 rows, as DeepStream-Yolo exports them
        output=10647,6 labels:=80 values:=boxes-with-class => DeepStream: deepstream -; a box, its score and its class in each of 10647 rows, as DeepStream-Yolo exports them
        output=525,6 size:=160x160 labels:=2 author:=Ultralytics values:=boxes-with-class => DeepStream: deepstream -; a box, its score and its class in each of 525 rows, as DeepStream-Yolo exports them
        output=10647,7 values:=boxes-with-objectness-and-class => DeepStreamOfSeven: - -; export the model again with a present version of DeepStream-Yolo, or without it, for rows of a box, its objectness, score and class cannot be read
        output=3549,7 labels:=2 values:=boxes-with-objectness-and-class => DeepStreamOfSeven: - -; export the model again with a present version of DeepStream-Yolo, or without it, for rows of a box, its objectness, score and class cannot be read
        output=3549,6 values:=pixels => RowsByValues: yolox 1; one row for each of 3549 cells, in pixels; {"head":{"decoded":true}}
        rows=2125,6 whole:=rows takes:=ScaleFactor num=1 => PaddleRows: picodet - or pp-yoloe, asked at once; rows of class, score and box, and an input scale_factor, as PaddleDetection exports them with the suppression inside
        output0=84,84 size:=64x64 labels:=80 author:=Ultralytics => Columns: yolov8 80; columns of 84 cells
        output0=525,84 size:=160x160 labels:=80 author:=Ultralytics => RowsOfYolov8: yolov8 80; rows of 525 cells
        output0=300,84 size:=160x160 labels:=80 author:=Ultralytics => Ultralytics: rt-detr 80; 300 queries in an Ultralytics export
        detection_boxes=100,4 labels:=80 => TensorFlow: ssd - asks; outputs named as TensorFlow's detection models name them
        output0=3598,112 labels:=80 => PlusRows: nanodet 80; one row for each of 3598 cells on four maps, scores first, as NanoDet-Plus; {"head":{"strides":[8,16,32,64],"regMax":7,"cellOffset":0}}
        output0=84,84 size:=64x64 => Columns: yolov8 80; columns of 84 cells
        output0=84,6 size:=64x64 => RowsByValues: yolox 1; one row for each of 84 cells
        output0=84,6 labels:=2 size:=64x64 => RowsOfYolov8: yolov8 2; rows of 84 cells
        output0=6,84 size:=64x64 => Columns: yolov8 2; columns of 84 cells
        output0=252,6 size:=64x64 => AnchorGrid: yolov5 1; three anchors in each of 84 cells
        output0=252,7 size:=64x64 => AnchorGrid: yolov5 2; three anchors in each of 84 cells
        output0=85,34 labels:=2 size:=64x64 => PlusRows: nanodet 2; one row for each of 85 cells on four maps, scores first, as NanoDet-Plus; {"head":{"strides":[8,16,32,64],"regMax":7,"cellOffset":0}}
        output0=3146,84 size:=416x362 labels:=80 => RowsOfYolov8: yolov8 80; rows of 3146 cells
        a=3549,5 b=100,6 => no rule
        a=3549,5 output=100,6 => EndToEnd: yolov10 -; rows of a box, its score and its class
        logits=1000 => no rule
        output0=1000,5 => no rule
        output0=3,52,52,85 output1=3,26,26,85 => no rule
        """;

    public static TheoryData<string, string> Table => new(Cases.Split('\n').Select(line => line.Split(" => ")).Select(parts => (parts[0].Trim(), parts[1].Trim())));

    [Theory]
    [MemberData(nameof(Table))]
    public void Rule_that_answers_for_outputs(string outputs, string expected) => Assert.Equal(expected, Answer(outputs));

    [Fact]
    public void Rules_each_answer_in_a_case() => Assert.All(
        FamilyRules.All, rule => Assert.Contains($"=> {rule.Name}: ", Cases, StringComparison.Ordinal));

    [Fact]
    public void FamilyConventions_name_every_family() => Assert.All(HeadFamilies.Names, family => Assert.NotEmpty(FamilyConventions.Of(family)));

    private static string Answer(string text)
    {
        var outputs = new List<OutputTensor>();
        var whole = new HashSet<string>();
        var metadata = new Dictionary<string, string>();
        int width = 416, height = 416;
        int? labels = null;
        List<SideInputKind> sides = [];
        var values = "zeros";
        foreach (var word in text.Split(' '))
        {
            var (key, value) = (word.Split('=')[0], word.Split('=')[^1]);
            switch (key)
            {
                case "size:":
                    (width, height) = (Number(value.Split('x')[0]), Number(value.Split('x')[1]));
                    break;
                case "labels:":
                    labels = Number(value);
                    break;
                case "whole:":
                    whole.Add(value);
                    break;
                case "author:" or "description:":
                    metadata[key[..^1]] = value;
                    break;
                case "takes:":
                    sides.Add(Enum.Parse<SideInputKind>(value));
                    break;
                case "values:":
                    values = value;
                    break;
                default:
                    int[] shape = value.Length == 0 ? [] : [.. value.Split(',').Select(Number)];
                    outputs.Add(new OutputTensor(key, shape, ReadOnlyMemory<float>.Empty));
                    break;
            }
        }

        var (rule, guess) = FamilyRules.Ask(new OutputShapes(
            outputs, whole, width, height, labels, metadata, sides, name => Values(values, outputs.Single(o => o.Name == name).Shape)));
        if (rule is null)
        {
            return "no rule";
        }

        var classes = guess.Classes?.ToString(CultureInfo.InvariantCulture) ?? "-";
        return $"{rule}: {guess.Family ?? "-"} {classes}{(guess.NeedsNormalisation ? " normalisation" : "")}{(guess.Asks is null ? "" : " asks")}{string.Concat((guess.Others ?? []).Select(other => $" or {other.Family}"))}{(guess.IsOnlyFedDifferently ? ", asked at once" : "")}; {guess.Why}{(guess.Lines is null ? "" : $"; {guess.Lines.ToJsonString()}")}";
    }

    /// <summary>What a graph answers for a black picture, row by row.</summary>
    private static float[] Values(string kind, int[] shape)
    {
        var values = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
        {
            var column = i % shape[1];
            values[i] = kind switch
            {
                "zeros" => 0,
                "logits" => -5,
                "boxes-with-class" => column switch { 0 or 1 => 10, 2 or 3 => 20, 4 => 0.3f, _ => 0 },
                "boxes-with-objectness-and-class" => column switch { 0 or 1 => 10, 2 or 3 => 20, 4 or 5 => 0.3f, _ => i / shape[1] % 2 },
                "scores-first" => column < 2 ? 0.5f : 3,
                "pixels" => column < 4 ? 200 : 0.5f,
                "pixels-without-objectness" => column < 4 ? 200 : 1,
                _ => throw new ArgumentException(kind),
            };
        }

        return values;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
