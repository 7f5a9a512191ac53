using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;
using Xunit;

namespace Detection.Inference.Tests.Heads;

/// <summary>Random outputs in each family's layout, read by the head and by a plain computation in double precision.</summary>
public sealed class FamilyHeadTests
{
    private const int Size = 128;
    private const float Floor = 0.3f;
    private const float Iou = 0.5f;

    private static readonly string[] Labels = ["a", "b", "c"];
    private static readonly InputGeometry Letterbox = new(0.2f, 0.2f, 0, 14, 640, 500);
    private static readonly int[] Strides = [8, 16, 32];

    private readonly Random _random = new(11);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Yolox(bool decoded)
    {
        var rows = Strides.Sum(s => Size / s * (Size / s));
        var data = new float[rows * 8];
        var all = new List<DetectedObject>();
        var row = 0;
        foreach (var stride in Strides)
        {
            for (var cell = 0; cell < Size / stride * (Size / stride); cell++, row++)
            {
                var n = data.AsSpan(row * 8, 8);
                Fill(n[..4], -1, 2);
                Fill(n[4..], 0, 1);
                if (decoded)
                {
                    Fill(n[..2], 0, Size);
                    Fill(n[2..4], 5, 60);
                }

                var (x, y) = decoded ? (n[0], n[1]) : ((double)(n[0] + (cell % (Size / stride))) * stride, (double)(n[1] + (cell / (Size / stride))) * stride);
                var (w, h) = decoded ? (n[2], n[3]) : (Math.Exp(n[2]) * stride, Math.Exp(n[3]) * stride);
                AddBest(all, n[5..], n[4], x - (w / 2), y - (h / 2), x + (w / 2), y + (h / 2));
            }
        }

        var manifest = Manifest("yolox") with { Head = decoded ? new HeadOptions { Decoded = true } : null };
        Check(manifest, [new("output", [rows, 8], data)], NonMaxSuppressionTests.Plain(all, Iou, false));
    }

    [Fact]
    public void YoloV5()
    {
        const int Rows = 900;
        var data = new float[Rows * 8];
        var all = new List<DetectedObject>();
        for (var row = 0; row < Rows; row++)
        {
            var n = data.AsSpan(row * 8, 8);
            Fill(n[..2], 0, Size);
            Fill(n[2..4], 5, 60);
            Fill(n[4..], 0, 1);
            AddBest(all, n[5..], n[4], n[0] - (n[2] / 2.0), n[1] - (n[3] / 2.0), n[0] + (n[2] / 2.0), n[1] + (n[3] / 2.0));
        }

        Check(Manifest("yolov5"), [new("output0", [Rows, 8], data)], NonMaxSuppressionTests.Plain(all, Iou, false));
    }

    [Theory]
    [InlineData("yolov8", false)]
    [InlineData("yolov8", true)]
    [InlineData("yolov9", false)]
    [InlineData("yolo11", false)]
    [InlineData("yolo12", false)]
    public void YoloV8(string family, bool rowsFirst)
    {
        // Not a multiple of the number of cells that are processed together.
        const int Cells = 777;
        var columns = new float[7 * Cells];
        var rows = new float[7 * Cells];
        var all = new List<DetectedObject>();
        for (var cell = 0; cell < Cells; cell++)
        {
            var n = rows.AsSpan(cell * 7, 7);
            Fill(n[..2], 0, Size);
            Fill(n[2..4], 5, 60);
            Fill(n[4..], -0.6f, 1);
            AddBest(all, n[4..], 1, n[0] - (n[2] / 2.0), n[1] - (n[3] / 2.0), n[0] + (n[2] / 2.0), n[1] + (n[3] / 2.0));
            for (var i = 0; i < 7; i++)
            {
                columns[(i * Cells) + cell] = n[i];
            }
        }

        Check(
            Manifest(family),
            [rowsFirst ? new("output0", [Cells, 7], rows) : new("output0", [7, Cells], columns)],
            NonMaxSuppressionTests.Plain(all, Iou, false));
    }

    [Theory]
    [InlineData("yolov10")]
    [InlineData("yolo26")]
    public void End_to_end(string family)
    {
        var data = new float[300 * 6];
        var all = new List<DetectedObject>();
        for (var row = 0; row < 200; row++)
        {
            var box = RandomBox();
            new[] { box.X1, box.Y1, box.X2, box.Y2, box.Score, box.ClassId }.CopyTo(data, row * 6);
            all.Add(box);
        }

        Check(Manifest(family), [new("output0", [300, 6], data)], Sorted(all));
    }

    [Fact]
    public void EfficientDet()
    {
        var scales = new[] { 1, Math.Pow(2, 1 / 3.0), Math.Pow(2, 2 / 3.0) };
        (double X, double Y)[] ratios = [(1, 1), (1.4, 0.7), (0.7, 1.4)];
        var regression = new List<float>();
        var classification = new List<float>();
        var all = new List<DetectedObject>();
        var deltas = new float[4];
        var scores = new float[3];
        for (var stride = 8; stride <= 128; stride *= 2)
        {
            for (var cell = 0; cell < Size / stride * (Size / stride); cell++)
            {
                foreach (var scale in scales)
                {
                    foreach (var ratio in ratios)
                    {
                        Fill(deltas, -0.5f, 0.5f);
                        Fill(scores, -0.8f, 0.7f);
                        regression.AddRange(deltas);
                        classification.AddRange(scores);
                        var (aw, ah) = (4 * stride * scale * ratio.X, 4 * stride * scale * ratio.Y);
                        var x = (((cell % (Size / stride)) + 0.5) * stride) + (deltas[1] * aw);
                        var y = (((cell / (Size / stride)) + 0.5) * stride) + (deltas[0] * ah);
                        var (w, h) = (Math.Exp(deltas[3]) * aw, Math.Exp(deltas[2]) * ah);
                        AddBest(
                            all,
                            scores,
                            1,
                            Math.Max(0, x - (w / 2)),
                            Math.Max(0, y - (h / 2)),
                            Math.Min(Size - 1, x + (w / 2)),
                            Math.Min(Size - 1, y + (h / 2)));
                    }
                }
            }
        }

        var count = regression.Count / 4;
        Check(
            Manifest("efficientdet"),
            [new("regression", [count, 4], regression.ToArray()), new("classification", [count, 3], classification.ToArray())],
            NonMaxSuppressionTests.Plain(all, Iou, classAgnostic: true));
    }

    [Theory]
    [InlineData("yolo-nas", 3)]
    [InlineData("damo-yolo", 3)]
    [InlineData("damo-yolo", 7)]
    public void Scores_and_decoded_boxes(string family, int classes)
    {
        const int Rows = 900;
        var (scores, rows) = (new float[Rows * classes], new float[Rows * 4]);
        Fill(scores, -1, 1);
        var all = new List<DetectedObject>();
        for (var row = 0; row < Rows; row++)
        {
            var box = RandomBox();
            new[] { box.X1, box.Y1, box.X2, box.Y2 }.CopyTo(rows, row * 4);
            for (var label = 0; label < classes; label++)
            {
                if (scores[(row * classes) + label] >= Floor)
                {
                    all.Add(box with { ClassId = label, Score = scores[(row * classes) + label] });
                }
            }
        }

        Check(
            Manifest(family) with { Labels = [.. Enumerable.Range(0, classes).Select(n => $"{n}")] },
            [new("904", [Rows, 4], rows), new("913", [Rows, classes], scores)],
            NonMaxSuppressionTests.Plain(all, Iou, false));
    }

    /// <summary>With the suppression inside: rows of −1 fill up what a picture has no boxes for.</summary>
    [Theory]
    [InlineData("flat")]
    [InlineData("batch")]
    [InlineData("damo-yolo")]
    public void Decoded_boxes_with_the_suppression_inside(string form)
    {
        const int Filled = 60;
        var all = Enumerable.Range(0, Filled).Select(_ => RandomBox()).ToList();
        float[] Padded(int width, Func<DetectedObject, float[]> row) => [.. all.SelectMany(row), .. Enumerable.Repeat(-1f, 40 * width)];
        var (boxes, scores, classes) = (Padded(4, b => [b.X1, b.Y1, b.X2, b.Y2]), Padded(1, b => [b.Score]), Padded(1, b => [b.ClassId]));
        OutputTensor[] outputs = form switch
        {
            "flat" => [new("graph2_flat_predictions", [Filled, 7], all.SelectMany(b => new[] { 0, b.X1, b.Y1, b.X2, b.Y2, b.Score, b.ClassId }).ToArray())],
            "batch" =>
            [
                new("graph2_num_predictions", [1], new float[] { Filled }),
                new("graph2_pred_boxes", [100, 4], boxes),
                new("graph2_pred_scores", [100], scores),
                new("graph2_pred_classes", [100], classes),
            ],
            _ =>
            [
                // The converter takes corners for centres.
                new("num_dets", [1], new float[] { Filled }),
                new("det_boxes", [100, 4], Padded(4, b => [b.X1 - (b.X2 / 2), b.Y1 - (b.Y2 / 2), b.X1 + (b.X2 / 2), b.Y1 + (b.Y2 / 2)])),
                new("det_scores", [100], scores),
                new("det_classes", [100], classes),
            ],
        };

        Check(Manifest(form == "damo-yolo" ? form : "yolo-nas"), outputs, Sorted(all));
    }

    [Fact]
    public void Scores_of_another_number_of_classes_are_named()
    {
        var error = Assert.Throws<ModelException>(
            () => Read(Manifest("yolo-nas"), [new("904", [9, 4], new float[36]), new("913", [9, 80], new float[720])], 300));

        Assert.Contains("an output \"scores\" of shape [boxes, 3]", error.Message, StringComparison.Ordinal);
    }

    /// <summary>As rows, and as planes, which some converters leave; boxes once or twice for each cell.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public void Scrfd(int anchors, bool inPlanes)
    {
        var outputs = new List<OutputTensor>();
        var all = new List<DetectedObject>();
        foreach (var stride in Strides)
        {
            var (across, count) = (Size / stride, Size / stride * (Size / stride) * anchors);
            var (scores, distances) = (new float[count * 3], new float[count * 4]);
            Fill(scores, -1.5f, 1);
            Fill(distances, -0.2f, 4);
            for (var row = 0; row < count; row++)
            {
                var (x, y) = (row / anchors % across * (double)stride, row / anchors / across * (double)stride);
                var d = distances.AsSpan(row * 4, 4);
                for (var label = 0; label < 3; label++)
                {
                    if (scores[(row * 3) + label] >= Floor)
                    {
                        all.Add(new DetectedObject(
                            label, scores[(row * 3) + label], (float)(x - (d[0] * stride)), (float)(y - (d[1] * stride)), (float)(x + (d[2] * stride)), (float)(y + (d[3] * stride))));
                    }
                }
            }

            outputs.Add(Map($"score_{stride}", scores, count, across, inPlanes));
            outputs.Add(Map($"bbox_{stride}", distances, count, across, inPlanes));
        }

        Check(Manifest("scrfd"), [.. outputs], NonMaxSuppressionTests.Plain(all, Iou, false));
    }

    /// <summary>Logits and distances in strides or in pixels, in one output for each map or in two.</summary>
    [Theory]
    [InlineData(true, false, 0)]
    [InlineData(true, false, 0.5f)]
    [InlineData(false, false, 0)]
    [InlineData(false, true, 0)]
    public void RtmDet(bool joined, bool decoded, float offset)
    {
        var outputs = new List<OutputTensor>();
        var all = new List<DetectedObject>();
        foreach (var stride in Strides)
        {
            var (across, count, unit) = (Size / stride, Size / stride * (Size / stride), decoded ? 1.0 : stride);
            var rows = new float[count * 7];
            for (var cell = 0; cell < count; cell++)
            {
                var n = rows.AsSpan(cell * 7, 7);
                Fill(n[..3], -6, 1);
                Fill(n[3..], -0.2f, decoded ? 40 : 4);
                var (x, y) = (((cell % across) + (double)offset) * stride, ((cell / across) + (double)offset) * stride);
                for (var label = 0; label < 3; label++)
                {
                    var score = 1 / (1 + Math.Exp(-n[label]));
                    if (score >= Floor)
                    {
                        all.Add(new DetectedObject(
                            label, (float)score, (float)(x - (n[3] * unit)), (float)(y - (n[4] * unit)), (float)(x + (n[5] * unit)), (float)(y + (n[6] * unit))));
                    }
                }
            }

            var whole = Map($"{stride}", rows, count, across, inPlanes: true);
            if (joined)
            {
                outputs.Add(whole);
            }
            else
            {
                outputs.Add(new($"{stride}c", [3, across, across], whole.Data[..(3 * count)]));
                outputs.Add(new($"{stride}b", [4, across, across], whole.Data[(3 * count)..]));
            }
        }

        var head = new HeadOptions { Decoded = decoded ? true : null, CellOffset = offset == 0 ? null : offset };
        Check(Manifest("rtmdet") with { Head = head }, [.. outputs], NonMaxSuppressionTests.Plain(all, Iou, false));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void CenterNet(bool areLogits, bool hasOffsets)
    {
        const int Side = Size / 4;
        const int Cells = Side * Side;
        var (heat, sizes, offsets) = (new float[3 * Cells], new float[2 * Cells], new float[2 * Cells]);
        Fill(heat, areLogits ? -5 : 0, areLogits ? 2 : 1);
        Fill(sizes, 0.5f, 12);
        Fill(offsets, 0, 1);
        var padded = new double[3, Side + 2, Side + 2];
        for (var i = 0; i < heat.Length; i++)
        {
            padded[i / Cells, (i % Cells / Side) + 1, (i % Side) + 1] = areLogits ? 1 / (1 + Math.Exp(-heat[i])) : heat[i];
        }

        var all = new List<DetectedObject>();
        for (var label = 0; label < 3; label++)
        {
            for (var y = 0; y < Side; y++)
            {
                for (var x = 0; x < Side; x++)
                {
                    var (score, cell) = (padded[label, y + 1, x + 1], (y * Side) + x);
                    var highest = Enumerable.Range(0, 9).Max(n => padded[label, y + (n / 3), x + (n % 3)]);
                    if (score >= Floor && score == highest)
                    {
                        var (cx, cy) = (x + (hasOffsets ? (double)offsets[cell] : 0.5), y + (hasOffsets ? (double)offsets[Cells + cell] : 0.5));
                        var (w, h) = ((double)sizes[cell], (double)sizes[Cells + cell]);
                        all.Add(new DetectedObject(
                            label, (float)score, (float)((cx - (w / 2)) * 4), (float)((cy - (h / 2)) * 4), (float)((cx + (w / 2)) * 4), (float)((cy + (h / 2)) * 4)));
                    }
                }
            }
        }

        OutputTensor[] outputs = [new("hm", [3, Side, Side], heat), new("wh", [2, Side, Side], sizes), new("reg", [2, Side, Side], offsets)];
        Check(
            Manifest("centernet") with { Head = areLogits ? null : new HeadOptions { Scores = ScoreActivation.None } },
            hasOffsets ? outputs : outputs[..2],
            Sorted(all));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void YuNet(bool inPlanes)
    {
        var outputs = new List<OutputTensor>();
        var all = new List<DetectedObject>();
        foreach (var stride in Strides)
        {
            var (across, count) = (Size / stride, Size / stride * (Size / stride));
            var (scores, objectness, boxes) = (new float[count * 3], new float[count], new float[count * 4]);

            // What is held to 1 gives equal scores, whose order is that of the outputs.
            Fill(scores, -0.9f, inPlanes ? 1 : 1.2f);
            Fill(objectness, -0.5f, inPlanes ? 1.2f : 1);
            Fill(boxes, -1, 2);
            for (var row = 0; row < count; row++)
            {
                var b = boxes.AsSpan(row * 4, 4);
                var (x, y) = (((row % across) + (double)b[0]) * stride, ((row / across) + (double)b[1]) * stride);
                var (w, h) = (Math.Exp(b[2]) * stride, Math.Exp(b[3]) * stride);
                for (var label = 0; label < 3; label++)
                {
                    var score = Math.Sqrt(Math.Clamp((double)scores[(row * 3) + label], 0, 1) * Math.Clamp((double)objectness[row], 0, 1));
                    if (score >= Floor)
                    {
                        all.Add(new DetectedObject(label, (float)score, (float)(x - (w / 2)), (float)(y - (h / 2)), (float)(x + (w / 2)), (float)(y + (h / 2))));
                    }
                }
            }

            outputs.Add(Map($"cls_{stride}", scores, count, across, inPlanes));
            outputs.Add(Map($"obj_{stride}", objectness, count, across, inPlanes));
            outputs.Add(Map($"bbox_{stride}", boxes, count, across, inPlanes));
        }

        Check(Manifest("yunet"), [.. outputs], NonMaxSuppressionTests.Plain(all, Iou, false));
    }

    [Theory]
    [InlineData("rt-detr", null, null)]
    [InlineData("d-fine", null, null)]
    [InlineData("detr", null, null)]
    [InlineData("detr", ScoreActivation.Softmax, BackgroundClass.First)]
    [InlineData("detr", ScoreActivation.Softmax, BackgroundClass.None)]
    [InlineData("rt-detr", ScoreActivation.None, BackgroundClass.None)]
    [InlineData("rt-detr", ScoreActivation.Sigmoid, BackgroundClass.Last)]
    public void Queries(string family, ScoreActivation? activation, BackgroundClass? background)
    {
        const int Queries = 100;
        var softmax = activation is null ? family == "detr" : activation == ScoreActivation.Softmax;
        var place = background ?? (family == "detr" ? BackgroundClass.Last : BackgroundClass.None);
        var width = place == BackgroundClass.None ? 3 : 4;
        var logits = new float[Queries * width];
        var rows = new float[Queries * 4];
        var all = new List<DetectedObject>();
        for (var query = 0; query < Queries; query++)
        {
            var n = logits.AsSpan(query * width, width);
            Fill(n, activation == ScoreActivation.None ? 0 : -4, activation == ScoreActivation.None ? 1 : 3);
            var b = rows.AsSpan(query * 4, 4);
            Fill(b, 0.1f, 0.9f);
            var (x1, y1, x2, y2) = ((b[0] - (b[2] / 2.0)) * Size, (b[1] - (b[3] / 2.0)) * Size, (b[0] + (b[2] / 2.0)) * Size, (b[1] + (b[3] / 2.0)) * Size);
            var values = n.ToArray().Select(v => (double)v).ToArray();
            var scores = (softmax ? values.Select(v => Math.Exp(v) / values.Sum(Math.Exp))
                : activation == ScoreActivation.None ? values
                : values.Select(v => 1 / (1 + Math.Exp(-v)))).Skip(place == BackgroundClass.First ? 1 : 0).Take(3).ToArray();
            for (var label = 0; label < 3; label++)
            {
                if (scores[label] >= Floor && (!softmax || scores[label] == scores.Max()))
                {
                    all.Add(new DetectedObject(label, (float)scores[label], (float)x1, (float)y1, (float)x2, (float)y2));
                }
            }
        }

        var head = activation is null ? null : new HeadOptions { Scores = activation, Background = background };
        Check(
            Manifest(family) with { Head = head },
            [new("logits", [Queries, width], logits), new("pred_boxes", [Queries, 4], rows)],
            Sorted(all));
    }

    [Fact]
    public void Queries_with_boxes_and_scores_in_one_output()
    {
        var data = new float[300 * 7];
        var all = new List<DetectedObject>();
        for (var query = 0; query < 300; query++)
        {
            var n = data.AsSpan(query * 7, 7);
            Fill(n[..4], 0.1f, 0.9f);
            Fill(n[4..], -1, 0.9f);
            AddBest(
                all, n[4..], 1, (n[0] - (n[2] / 2.0)) * Size, (n[1] - (n[3] / 2.0)) * Size, (n[0] + (n[2] / 2.0)) * Size, (n[1] + (n[3] / 2.0)) * Size);
        }

        Check(Manifest("rt-detr"), [new("output0", [300, 7], data)], Sorted(all));
    }

    [Fact]
    public void Queries_answered_as_labels_boxes_and_scores()
    {
        var all = Enumerable.Range(0, 100).Select(_ => RandomBox()).ToList();

        Check(
            Manifest("d-fine"),
            [
                new("labels", [100], all.Select(b => (float)b.ClassId).ToArray()),
                new("boxes", [100, 4], all.SelectMany(b => new[] { b.X1, b.Y1, b.X2, b.Y2 }).ToArray()),
                new("scores", [100], all.Select(b => b.Score).ToArray()),
            ],
            Sorted(all));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ssd_as_TensorFlow_exports_it(bool numbered)
    {
        // 60 of 100 rows are filled; what is left over from earlier must not be read.
        var all = Enumerable.Range(0, 100).Select(_ => RandomBox()).ToList();
        var suffix = numbered ? ":0" : "";

        Check(
            Manifest("ssd"),
            [
                new("detection_boxes" + suffix, [100, 4], all.SelectMany(b => new[] { b.Y1 / Size, b.X1 / Size, b.Y2 / Size, b.X2 / Size }).ToArray()),
                new("detection_classes" + suffix, [100], all.Select(b => b.ClassId + 1f).ToArray()),
                new("detection_scores" + suffix, [100], all.Select(b => b.Score).ToArray()),
                new("num_detections" + suffix, [], new float[] { 60 }),
            ],
            Sorted(all.Take(60)));
    }

    [Fact]
    public void Ssd_as_torchvision_exports_it()
    {
        var all = Enumerable.Range(0, 40).Select(_ => RandomBox()).ToList();

        Check(
            Manifest("ssd") with { Head = new HeadOptions { BoxFormat = BoxFormat.X1Y1X2Y2, BoxUnit = BoxUnit.Pixels } },
            [
                new("boxes", [40, 4], all.SelectMany(b => new[] { b.X1, b.Y1, b.X2, b.Y2 }).ToArray()),
                new("labels", [40], all.Select(b => b.ClassId + 1f).ToArray()),
                new("scores", [40], all.Select(b => b.Score).ToArray()),
            ],
            Sorted(all));
    }

    [Fact]
    public void Ssd_as_MMDetection_exports_it()
    {
        var all = Enumerable.Range(0, 40).Select(_ => RandomBox()).ToList();

        Check(
            Manifest("ssd") with
            {
                Head = new HeadOptions { BoxFormat = BoxFormat.X1Y1X2Y2, BoxUnit = BoxUnit.Pixels, Background = BackgroundClass.None },
            },
            [
                new("dets", [40, 5], all.SelectMany(b => new[] { b.X1, b.Y1, b.X2, b.Y2, b.Score }).ToArray()),
                new("labels", [40], all.Select(b => (float)b.ClassId).ToArray()),
            ],
            Sorted(all));
    }

    [Fact]
    public void Ssd_with_the_indices_of_the_NonMaxSuppression_operator()
    {
        var all = Enumerable.Range(0, 50).Select(_ => RandomBox()).ToList();
        var scores = new float[4 * 50];
        for (var i = 0; i < 50; i++)
        {
            scores[((all[i].ClassId + 1) * 50) + i] = all[i].Score;
        }

        var chosen = Enumerable.Range(0, 50).Where(i => i % 3 != 0).ToArray();
        Check(
            Manifest("ssd"),
            [
                new("boxes", [50, 4], all.SelectMany(b => new[] { b.Y1 / Size, b.X1 / Size, b.Y2 / Size, b.X2 / Size }).ToArray()),
                new("scores", [4, 50], scores),
                new("selected_indices", [chosen.Length, 3], chosen.SelectMany(i => new float[] { 0, all[i].ClassId + 1, i }).ToArray()),
            ],
            Sorted(chosen.Select(i => all[i])));
    }

    [Theory]
    [InlineData("yolov10", 3, "class number 3 and the manifest names 3")]
    [InlineData("yolov10", float.NaN, "class number NaN")]
    [InlineData("yolov10", -1, "class number -1")]
    public void Class_without_a_label_is_an_error(string family, float number, string expected)
    {
        var error = Assert.Throws<ModelException>(
            () => Read(Manifest(family), [new("output0", [1, 6], new float[] { 0, 0, 9, 9, 0.9f, number })], 300));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Boxes_that_are_not_numbers_are_dropped()
    {
        var data = new float[] { float.NaN, 0, 9, 59, 0.9f, 0, 0, 0, float.PositiveInfinity, 59, 0.8f, 0, 0, 0, 9, 59, float.NaN, 0 };

        var box = Assert.Single(Read(Manifest("yolov10"), [new("output0", [3, 6], data)], 300));

        Assert.Equal((0.8f, 640f), (box.Score, box.X2));
    }

    [Fact]
    public void Outputs_are_taken_by_the_names_in_the_manifest()
    {
        var decoy = new float[8 * 900];
        var data = new float[8 * 900];
        new float[] { 64, 64, 20, 20, 1, 0.2f, 0.9f, 0.1f }.CopyTo(data, 80);
        OutputTensor[] outputs = [new("aux", [900, 8], decoy), new("main", [900, 8], data)];

        var named = Manifest("yolov5") with { Head = new HeadOptions { Outputs = new Dictionary<string, string> { ["output"] = "main" } } };

        Assert.Equal(1, Assert.Single(Read(named, outputs, 300)).ClassId);
        Assert.Contains("\"outputs\": { \"output\"", Assert.Throws<ModelException>(() => Read(Manifest("yolov5"), outputs, 300)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_more_boxes_than_the_maximum()
    {
        var data = new float[300 * 6];
        for (var row = 0; row < 300; row++)
        {
            new[] { 0, 0, 9, 59, 0.5f + (row / 1000f), 0 }.CopyTo(data, row * 6);
        }

        var boxes = Read(Manifest("yolov10"), [new("output0", [300, 6], data)], 2);

        Assert.Equal([0.799f, 0.798f], boxes.Select(b => b.Score));
    }

    [Fact]
    public void HeadFamilies_and_heads_are_the_same() => Assert.Equal(HeadFamilies.Names.Order(), DetectionHeads.Families.Order());

    [Fact]
    public void Every_family_refuses_outputs_that_are_not_its_own()
    {
        Assert.NotEmpty(HeadFamilies.Names);
        foreach (var family in HeadFamilies.Names)
        {
            var error = Assert.Throws<ModelException>(() => Read(Manifest(family), [new("out", [7, 11, 13], new float[1001])], 300));
            Assert.Contains("\"out\" [7, 11, 13]", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>An output of a map, of rows that are given cell by cell.</summary>
    private static OutputTensor Map(string name, float[] rows, int count, int across, bool inPlanes)
    {
        var width = rows.Length / count;
        return inPlanes
            ? new(name, [width, count / across, across], Enumerable.Range(0, width).SelectMany(n => Enumerable.Range(0, count).Select(row => rows[(row * width) + n])).ToArray())
            : new(name, [count, width], rows);
    }

    private static ModelManifest Manifest(string family) => new()
    {
        Family = family,
        Input = new InputSpec { Width = Size, Height = Size },
        Labels = Labels,
    };

    private static List<DetectedObject> Read(ModelManifest manifest, OutputTensor[] outputs, int maxBoxes)
    {
        var boxes = new List<DetectedObject>();
        DetectionHeads.Create(manifest).Read(outputs, Letterbox, new HeadSettings(Floor, Iou, maxBoxes), boxes);
        return boxes;
    }

    private static void Check(ModelManifest manifest, OutputTensor[] outputs, List<DetectedObject> expectedOnInput)
    {
        var expected = BoxAssert.OnPicture(expectedOnInput, Letterbox);
        Assert.InRange(expected.Count, 10, 3000);
        BoxAssert.Same(expected, Read(manifest, outputs, 3000), pixels: 5e-3f);
    }

    private static List<DetectedObject> Sorted(IEnumerable<DetectedObject> boxes) =>
        [.. boxes.Where(b => b.Score >= Floor).OrderByDescending(b => b.Score)];

    private static void AddBest(List<DetectedObject> all, Span<float> scores, double objectness, double x1, double y1, double x2, double y2)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }

        if (scores[best] * objectness >= Floor)
        {
            all.Add(new DetectedObject(best, (float)(scores[best] * objectness), (float)x1, (float)y1, (float)x2, (float)y2));
        }
    }

    private void Fill(Span<float> values, float from, float to)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = from + (_random.NextSingle() * (to - from));
        }
    }

    private DetectedObject RandomBox()
    {
        var (x, y) = (_random.NextSingle() * 100, _random.NextSingle() * 100);
        return new DetectedObject(_random.Next(3), _random.NextSingle(), x, y, x + 3 + (_random.NextSingle() * 40), y + 3 + (_random.NextSingle() * 40));
    }
}
