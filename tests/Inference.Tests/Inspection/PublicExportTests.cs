using System.Globalization;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Tests.Onnx;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Tests.Inspection;

/// <summary>
/// Exports that people describe in public issue trackers, made again with the same names, shapes, types and metadata. Each is recognised, or
/// asked for, or refused; none is taken for something else.
/// </summary>
public sealed class PublicExportTests : IDisposable
{
    /// <summary>
    /// Where it is described | picture, and other inputs | outputs (* are 64-bit integers) | what else is known => <c>is</c> the family with manifest lines, <c>asks</c> for
    /// a line, or is <c>refused</c>. Outputs are 0, with a value after = where they are not.
    /// </summary>
    private const string Cases = """
        Deci-AI/super-gradients#1763 | input.1 1x3x320x320 | 913 1x2100x80, 904 1x2100x4 | => asks write "family": "yolo-nas" (a letterbox
        Deci-AI/super-gradients#1301 | input.1 1x3x640x640 | 904 1x8400x4, 913 1x8400x80 | labels=80 => asks write "family": "yolo-nas" (a letterbox
        Deci-AI/super-gradients#1301 | input.1 1x3x640x640 | 904 1x8400x4, 913 1x8400x80 | labels=80 family=yolo-nas => is yolo-nas letterboxcenter rgb 255
        Deci-AI/super-gradients models_export.md | input 1x3x640x640:uint8 | graph2_num_predictions 1x1:*, graph2_pred_boxes 1x1000x4, graph2_pred_scores 1x1000, graph2_pred_classes 1x1000:* | labels=80 => is yolo-nas letterboxcenter rgb 1
        Deci-AI/super-gradients models_export.md | input 1x3x640x640:uint8 | graph2_flat_predictions ?x7 | labels=80 => is yolo-nas letterboxcenter rgb 1
        tinyvision/DAMO-YOLO tools/converter.py | images 1x3x640x640 | output 1x8400x80, 1036 1x8400x4 | labels=80 => is damo-yolo stretch rgb 1
        open-mmlab/mmyolo#844 | images 64x3x64x64 | num_dets 64x1:*, boxes 64xnx4, scores 64xn, labels 64xn:* | labels=2 => asks "mean": […]
        open-mmlab/mmyolo easydeploy | images 1x3x640x640 | num_dets 1x1:*, boxes 1xnx4, scores 1xn, labels 1xn:* | labels=80 normalised => is ssd none letterboxcenter rgb 1
        AILab-CVC/YOLO-World#321 | images 1x3x640x640 | 1 1x84x80x80, 2 1x84x40x40, 3 1x84x20x20 | labels=80 => asks "head": { "decoded": true }
        open-mmlab/mmdetection#11861 | input 1x3x640x640 | cls0 1x80x80x80, cls1 1x80x40x40, cls2 1x80x20x20, box0 1x4x80x80, box1 1x4x40x40, box2 1x4x20x20 | labels=80 family=rtmdet decoded => is rtmdet letterboxtopleft bgr 1
        open-mmlab/mmdetection#6096 | input batchx3x416x416 | dets batchxnum_detsx5, labels batchxnum_dets:* | labels=80 => asks "mean": […]
        open-mmlab/mmdetection#4275 | input 1x3x512x512 | cls0 1x144x64x64, cls1 1x144x32x32, cls2 1x144x16x16, reg0 1x36x64x64, reg1 1x36x32x32, reg2 1x36x16x16 | labels=16 => asks do not tell
        triton-inference-server/server#3640 | input 1x3x416x416 | dets 1x100x5, labels 1x100:* | labels=80 normalised => is ssd none stretch rgb 1
        deepinsight/insightface#1781 | input.1 1x3x640x640 | 448 12800x1, 471 3200x1, 494 800x1, 451 12800x4, 474 3200x4, 497 800x4, 454 12800x10, 477 3200x10, 500 800x10 | => is scrfd letterboxtopleft rgb 1
        deepinsight/insightface#1781 | input.1 1x3x640x640 | score_8 1x12800x1, score_16 1x3200x1, score_32 1x800x1, bbox_8 1x12800x4, bbox_16 1x3200x4, bbox_32 1x800x4 | => is scrfd letterboxtopleft rgb 1
        opencv/opencv_zoo 2023mar | input 1x3x640x640 | cls_8 1x6400x1, cls_16 1x1600x1, cls_32 1x400x1, obj_8 1x6400x1, obj_16 1x1600x1, obj_32 1x400x1, bbox_8 1x6400x4, bbox_16 1x1600x4, bbox_32 1x400x4, kps_8 1x6400x10, kps_16 1x1600x10, kps_32 1x400x10 | => is yunet letterboxtopleft bgr 1
        opencv/opencv_zoo 2022mar | input 1x3x120x160 | loc 1x1118x14, conf 1x1118x2, iou 1x1118x1 | labels=1 => asks do not tell
        biubug6/Pytorch_Retinaface#164 | input0 1x3x640x640 | output0 1x16800x4, 591 1x16800x2, 592 1x16800x10 | labels=1 => asks do not tell
        zheshipinyinMc/arcface_retinaface_mxnet2onnx#11 | data 1x3x640x640 | c32 1x4x20x20, b32 1x8x20x20, l32 1x20x20x20, c16 1x4x40x40, b16 1x8x40x40, l16 1x20x40x40, c8 1x4x80x80, b8 1x8x80x80, l8 1x20x80x80 | labels=1 => asks do not tell
        derronqi/yolov7-face#80 | images 1x3x640x640 | output 1x25200x21 | labels=1 => refused 16 classes and "labels" has 1 names
        xingyizhou/CenterNet#196 | input 1x3x512x512 | hm 1x80x128x128=-5, wh 1x2x128x128, reg 1x2x128x128 | labels=80 => is centernet letterboxcenter bgr 255
        dlunion/tensorRTIntegrate#34 | input 1x3x512x512 | hm 1x80x128x128, hm_pool 1x80x128x128, wh 1x2x128x128, reg 1x2x128x128 | labels=80 => is centernet letterboxcenter bgr 255
        ultralytics/ultralytics#284 | images 1x3x416x416 | output0 1x7x3549 | labels=3 => is yolov8 letterboxcenter rgb 255
        iMoonLab/yolov13#61 | images 1x3x1280x1280 | output0 1x8x33600 | labels=4 => is yolov8 letterboxcenter rgb 255
        ultralytics/ultralytics#20039 | images 1x3x640x640 | output0 1x300x6 | labels=80 author=Ultralytics => is yolov10 letterboxcenter rgb 255
        ultralytics/ultralytics#14765 | images 1x3x640x640 | output0 1x116x8400, output1 1x32x160x160 | labels=80 => refused 112 classes and "labels" has 80 names
        ultralytics/yolov5#4652 | images 1x3x640x640 | output 1x25200x85, 778 1x3x80x80x85, 839 1x3x40x40x85, 900 1x3x20x20x85 | labels=80 => is yolov5 letterboxcenter rgb 255
        ultralytics/yolov5#708 | images 1x3x640x640 | classes 1x3x80x80x85, boxes 1x3x40x40x85, 444 1x3x20x20x85 | labels=80 => asks do not tell
        ultralytics/yolov3#246 | images 1x3x416x416 | output 1x10647x7, 1 1x3x13x13x7, 2 1x3x26x26x7, 3 1x3x52x52x7 | labels=2 => is yolov5 letterboxcenter rgb 255
        ultralytics/yolov3#1109 | images 1x3x448x448 | 325 12348x4, 328 12348x4 | labels=4 => asks do not tell
        ultralytics/yolov3#1667 | images 1x3x512x1280 | 1 1x3x16x40x40, 2 1x3x32x80x40 | labels=35 => asks do not tell
        WongKinYiu/yolov7#428 | images 1x3x640x640 | output 1x3x80x80x85, 1 1x3x40x40x85, 2 1x3x20x20x85 | labels=80 => asks do not tell
        WongKinYiu/yolov7#425 | images 1x3x640x640 | output ?x7 | labels=80 => is ssd none letterboxcenter rgb 255
        WongKinYiu/yolov9#130 | images batchx3x640x640 | num_dets batchx1:*, det_boxes batchx100x4, det_scores batchx100, det_classes batchx100:* | labels=80 => is ssd none letterboxcenter rgb 255
        Tianxiaomo/pytorch-YOLOv4#211 | input 1x3x608x608 | boxes 1x22743x1x4, confs 1x22743x80 | labels=80 => asks do not tell
        linghu8812/tensorrt_inference#46 | input 1x3x640x640 | classes 25200x102, boxes 25200x4, 660 1x3x80x80x107, 969 1x3x40x40x107 | labels=102 => asks do not tell
        Megvii-BaseDetection/YOLOX#1631 | images 1x3x640x640 | output 1x8400x6 | labels=1 => is yolox letterboxtopleft bgr 1
        pytorch/vision#1706 | image 1x3x200x300 | boxes ?x4, labels ?:*, scores ? | labels=90 => is ssd first stretch rgb 255
        NVIDIA/retinanet-examples#5 | x 1x3x640x640 | scores 1x100, boxes 1x100x4, classes 1x100 | labels=80 => asks do not tell
        PINTO0309/PINTO_model_zoo#35 | image 1x3x512x512 | detections 1x100x7 | labels=90 => asks do not tell
        roboflow/rf-detr#79 | input batch_sizex3x560x560 | dets batch_sizex300x4, labels batch_sizex300x91 | labels=90 => asks COCO's own numbers
        roboflow/rf-detr#85 | input 1x3x560x560 | dets 1x300x4, labels 1x300x91 | labels=91 => is rt-detr stretch rgb 255
        SenseTime/deformable-detr | input 1x3x800x800 | logits 1x900x91, pred_boxes 1x900x4 | labels=90 => asks COCO's own numbers
        NevermindNilas/TheAnimeScripter#334 | images 1x3x640x640 | pred_logits 1x300x80, pred_boxes 1x300x4 | labels=80 => is rt-detr stretch rgb 255
        PaddlePaddle/PaddleDetection#6996 | image 1x3x640x640 | boxes 1x8400x4, scores 1x80x8400 | labels=80 => asks do not tell
        PaddlePaddle/PaddleDetection#5544 | image ?x3x640x640, scale_factor ?x2 | multiclass_nms3_0.tmp_0 rowsx6, multiclass_nms3_0.tmp_2 ?:* | labels=80 => asks write "family": "picodet" (ImageNet's mean and deviation
        PaddlePaddle/PaddleDetection#5544 | image ?x3x640x640, scale_factor ?x2 | multiclass_nms3_0.tmp_0 rowsx6, multiclass_nms3_0.tmp_2 ?:* | labels=80 family=pp-yoloe => is pp-yoloe stretch rgb 255
        PaddlePaddle/Paddle2ONNX#1423 | image 1x3x640x640, im_shape 1x2, scale_factor 1x2 | tmp_1 rowsx6, tmp_2 1:* | labels=80 => asks write "family": "picodet" (ImageNet's mean and deviation
        RangiLyu/nanodet#585 | data 1x3x416x416 | output 1x3549x33 | labels=1 => asks "cellOffset": 0.5
        RangiLyu/nanodet#585 | data 1x3x416x416 | output 1x3549x33 | labels=1 cellOffset=0 => is nanodet stretch bgr 1
        RangiLyu/nanodet#410 | data 1x3x320x320 | output 1x2100x112 | labels=80 => asks "cellOffset": 0.5
        RangiLyu/nanodet#398 | data 1x3x320x320 | cls_pred_stride_8 1x1600x6, cls_pred_stride_16 1x400x6, cls_pred_stride_32 1x100x6, dis_pred_stride_8 1x1600x32, dis_pred_stride_16 1x400x32, dis_pred_stride_32 1x100x32 | labels=6 => is nanodet stretch bgr 1
        dog-qiuqiu/FastestDet#23 | input.1 1x3x352x352 | output 1x85x22x22 | labels=80 => asks do not tell
        keras-team/keras-cv#2460 | images 1x640x640x3 | boxes 1x8400x64, classes 1x8400x6 | labels=6 => asks do not tell
        Sense-X/Co-DETR#26 | input batchx3x640x640 | dets batchxnum_detsx5, labels batchxnum_dets:* | labels=80 => asks "mean": […]
        open-mmlab/mmdeploy#640 | input 1x3x640x640 | dets 1x9x5, labels 1x9:* | labels=32 => asks "mean": […]
        open-mmlab/mmdeploy single-stage partition | input 1x3x640x640 | scores 1x8400x80, boxes 1x8400x4 | labels=80 => asks of its test pipeline
        open-mmlab/mmdeploy single-stage partition | input 1x3x512x512 | scores 1x49104x80, boxes 1x49104x4 | labels=80 => asks do not tell
        WongKinYiu/yolov9#194 | images 1x3x128x128 | output0 1x8x336 | labels=4 => is yolov8 letterboxcenter rgb 255
        WongKinYiu/yolov7#2091 | images batchx3x416x416 | output batchx3x52x52x124, 540 batchx3x26x26x124, 562 batchx3x13x13x124 | labels=119 => asks do not tell
        WongKinYiu/yolov7#1859 | images 1x3x640x640 | num_dets 1x1:*, det_boxes 1x100x4, det_scores 1x100, det_classes 1x100:* | labels=80 plugin=EfficientNMS_TRT => refused EfficientNMS_TRT is a plugin of TensorRT
        tinyvision/DAMO-YOLO#169 | images 1x3x640x640 | num_dets 1x1:*, det_boxes 1xnx4, det_scores 1xn, det_classes 1xn:* | labels=80 family=damo-yolo => is damo-yolo stretch rgb 1
        tinyvision/DAMO-YOLO --trt_version 7 | images 1x3x640x640 | num_dets 1x1:*, det_boxes 1x100x4, det_scores 1x100, det_classes 1x100:* | labels=80 plugin=BatchedNMSDynamic_TRT => refused BatchedNMSDynamic_TRT is a plugin of TensorRT
        ultralytics/yolov5#3387 | images 1x3x640x640 | output 1x25200x8 | labels=3 => is yolov5 letterboxcenter rgb 255
        ultralytics/yolov5#13009 | images 1x3x640x640 | output0 1x25200x133 | labels=128 => is yolov5 letterboxcenter rgb 255
        ultralytics/ultralytics#11180 | images 1x3x640x640 | output0 1x6x8400 | labels=2 => is yolov8 letterboxcenter rgb 255
        ultralytics/ultralytics#24697 | images 1x3x640x640 | output0 1x300x6 | labels=80 author=Ultralytics => is yolov10 letterboxcenter rgb 255
        MultimediaTechLab/YOLO#171 | images 1x3x640x640 | 0 1x80x80x80, 1 1x16x4x80x80, 2 1x4x80x80, 3 1x80x40x40, 4 1x16x4x40x40, 5 1x4x40x40, 6 1x80x20x20, 7 1x16x4x20x20, 8 1x4x20x20 | labels=80 => asks do not tell
        isarsoft/yolov4-triton-tensorrt#56 | input 1x3x416x416 | boxes 1x10647x1x4, confs 1x10647x13 | labels=13 => asks do not tell
        triton-inference-server/server#325 | input_1 1x320x320x3 | yolo_nms_0 1x100x4, yolo_nms_1 1x100, yolo_nms_2 1x100, yolo_nms_3 1:* | labels=80 => asks do not tell
        triton-inference-server/server#2228 | image_arrays:0 1x512x512x3:uint8 | detections:0 1x100x7 | labels=90 => asks do not tell
        marcoslucianops/DeepStream-Yolo#347 | input 1x3x640x640 | boxes 1x8400x4, scores 1x8400x1, classes 1x8400x1 | labels=2 => asks do not tell
        facebookresearch/detr#545 | pixel_values 1x3x800x800, pixel_mask 1x64x64:* | logits 1x125x3, pred_boxes 1x125x4 | labels=2 => is detr stretch rgb 255
        roboflow/rf-detr#386 | input 1x3x432x432 | dets 1x300x4, labels 1x300x2, 4245 1x300x108x108 | labels=1 => is rt-detr last stretch rgb 255
        roboflow/rf-detr#902 | input 1x3x560x560 | dets 1x300x4, labels 1x300x4 | labels=3 => is rt-detr last stretch rgb 255
        lyuwenyu/RT-DETR#88 | images Nx3x640x640, orig_target_sizes Nx2:* | labels Nx300:*, boxes Nx300x4, scores Nx300 | labels=1 => is d-fine stretch rgb 255
        lyuwenyu/RT-DETR#447 | images 1x3x640x640, orig_target_sizes 1x2 | labels 1x300:*, boxes 1x300x4, scores 1x300 | labels=80 => is d-fine stretch rgb 255
        lyuwenyu/RT-DETR#251 | images 1x3x640x640, orig_target_sizes 1x2:int32 | labels 1x300:*, boxes 1x300x4, scores 1x300 | labels=80 => is d-fine stretch rgb 255
        pytorch/vision#8899 | input 1x3x750x750 | boxes nx4, labels n:*, scores n | labels=2 => is ssd first stretch rgb 255
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("exports").FullName;

    public static TheoryData<string, string> Table => new(Cases.Split('\n').Select(line => line.Split(" => ")).Select(parts => (parts[0].Trim(), parts[1].Trim())));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Table))]
    public void Export_is_recognised_or_asked_for(string export, string expected)
    {
        var (kind, what) = (expected.Split(' ')[0], expected[(expected.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        var parts = export.Split('|', StringSplitOptions.TrimEntries);
        var known = parts[3].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Split('=')).ToDictionary(word => word[0], word => word[^1]);
        var path = Build(parts[1].Split(", "), parts[2].Split(", "), known).Save(Path.Combine(_folder, "model.onnx"));
        var manifest = Path.Combine(_folder, "model.json");
        File.WriteAllText(manifest, Manifest(known));

        if (kind == "refused")
        {
            Assert.Contains(what, Assert.Throws<ModelException>(() => ModelInspector.Inspect(path, manifest)).Message, StringComparison.Ordinal);
            return;
        }

        var inspection = ModelInspector.Inspect(path, manifest);
        if (kind == "asks")
        {
            Assert.Contains(inspection.Missing, line => line.Contains(what, StringComparison.Ordinal));
            return;
        }

        var found = inspection.Require();
        var background = found.Head?.Background is { } place ? $"{place} " : "";
        Assert.Equal(what, $"{found.Family} {background}{found.Input.Resize} {found.Input.Channels} {found.Input.Scale}".ToLowerInvariant());
    }

    [Fact]
    public void Exports_are_at_least_fifty() => Assert.InRange(Cases.Split('\n').Select(line => line.Split(" | ")[0]).Distinct().Count(), 50, 1000);

    private static string Manifest(Dictionary<string, string> known)
    {
        var lines = new List<string>();
        if (known.TryGetValue("labels", out var labels))
        {
            lines.Add($"\"labels\": [{string.Join(", ", Enumerable.Range(0, int.Parse(labels, CultureInfo.InvariantCulture)).Select(n => $"\"{n}\""))}]");
        }

        if (known.TryGetValue("family", out var family))
        {
            lines.Add($"\"family\": \"{family}\"");
        }

        if (known.ContainsKey("decoded"))
        {
            lines.Add("\"head\": { \"decoded\": true }");
        }

        if (known.TryGetValue("cellOffset", out var offset))
        {
            lines.Add($"\"head\": {{ \"cellOffset\": {offset} }}");
        }

        if (known.ContainsKey("normalised"))
        {
            lines.Add("\"input\": { \"scale\": 1, \"mean\": [0, 0, 0], \"std\": [255, 255, 255] }");
        }

        return $"{{ {string.Join(", ", lines)} }}";
    }

    private static OnnxGraph Build(string[] inputs, string[] outputs, Dictionary<string, string> known)
    {
        var graph = new OnnxGraph();
        if (known.TryGetValue("author", out var author))
        {
            graph.Metadata("author", author);
        }

        (string Name, TensorElementType Type, OnnxGraph.Dim[] Dimensions)[] tensors = [.. inputs.Select(Tensor)];
        foreach (var tensor in tensors)
        {
            graph.Input(tensor.Name, tensor.Type, tensor.Dimensions);
        }

        var (name, type, dimensions) = tensors[0];
        var picture = type == TensorElementType.UInt8 ? graph.Node("Cast", [name], ("to", (int)TensorElementType.Float)) : name;
        if (known.TryGetValue("plugin", out var plugin))
        {
            picture = graph.Plugin("TRT", plugin, picture);
        }

        // 0, for each picture, or once for outputs that have no row for each picture.
        var none = graph.Node("Mul", [graph.Node("ReduceMean", [picture], ("axes", new long[] { 1, 2, 3 }), ("keepdims", 0)), graph.Floats([0])]);
        var once = graph.Node("ReduceSum", [none], ("keepdims", 0));
        foreach (var output in outputs)
        {
            var (title, element, declared) = Tensor(output.Split('=')[0]);
            var isInteger = element == TensorElementType.Int64;
            var value = output.Contains('=', StringComparison.Ordinal) ? float.Parse(output.Split('=')[1], CultureInfo.InvariantCulture) : 0;
            var hasBatch = declared[0] == dimensions[0];

            // An open dimension has two rows.
            long[] sizes = [.. declared.Select(d => d.Name is null ? d.Value : 2)];
            var one = hasBatch ? sizes.Select((size, i) => i == 0 ? 1 : size).ToArray() : sizes;
            var constant = graph.Floats([.. Enumerable.Repeat(value, (int)one.Aggregate(1L, (a, b) => a * b))], one);
            var zero = hasBatch ? graph.Node("Reshape", [none, graph.Longs([-1, .. Enumerable.Repeat(1L, sizes.Length - 1)])]) : once;
            var result = graph.Node("Add", [constant, zero]);
            graph.Output(title, isInteger ? graph.Node("Cast", [result], ("to", (int)element)) : result, element, declared);
        }

        return graph;
    }

    private static (string Name, TensorElementType Type, OnnxGraph.Dim[] Dimensions) Tensor(string text)
    {
        var (name, shape) = (text.Split(' ')[0], text.Split(' ')[1].Split(':'));
        return (
            name,
            shape.ElementAtOrDefault(1) switch { "*" => TensorElementType.Int64, "int32" => TensorElementType.Int32, "uint8" => TensorElementType.UInt8, _ => TensorElementType.Float },
            [.. shape[0].Split('x').Select(Dimension)]);
    }

    /// <summary>A number, or a name. What has neither in a file is <c>?</c>.</summary>
    private static OnnxGraph.Dim Dimension(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : text;
}
