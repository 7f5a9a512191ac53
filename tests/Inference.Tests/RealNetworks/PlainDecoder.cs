using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Tests.RealNetworks;

/// <summary>
/// Decoders of published networks, written from their public descriptions and without any code of the product except the runtime's session. Each
/// gives the boxes of a photo with scores above <see cref="Floor"/>.
/// </summary>
internal sealed class PlainDecoder(InferenceSession session, string network)
{
    private const double Floor = 0.05;

    private static readonly double[] ImageNetMean = [0.485, 0.456, 0.406];
    private static readonly double[] ImageNetStd = [0.229, 0.224, 0.225];
    private static readonly double[] NanoDetMean = [103.53, 116.28, 123.675];
    private static readonly double[] NanoDetStd = [57.375, 57.12, 58.395];

    public List<PlainBox> Boxes(PlainPicture picture) => network switch
    {
        // RangiLyu/nanodet: cells are read at their middle, NanoDet-Plus' at their corner.
        "nanodet-g" => Distributions(picture, NanoDet(416), [8, 16, 32], 11, 0.5, maps => [(maps["scores"], maps["distances"])]),
        "nanodet-plus-m-1.5x" => Distributions(picture, NanoDet(416), [8, 16, 32, 64], 8, 0, maps => [Split(maps["output"], 80, 32)]),

        // PaddleDetection's PicoHead, arXiv:2111.00902.
        "picodet-xs-416" => Distributions(
            picture,
            PicoDet(416),
            [8, 16, 32, 64],
            8,
            0.5,
            maps => [.. Enumerable.Range(0, 4).Select(n => (maps[$"transpose_{2 * n}.tmp_0"], maps[$"transpose_{(2 * n) + 1}.tmp_0"]))]),
        "picodet-xs-320-nms" => PaddleRows(picture),

        // meituan/YOLOv6: centre, size, a 1, and 80 scores in a row; Ultralytics: the same in a column, without the 1.
        "yolov6lite-s" => Rows(picture, Feed.Plain(320, Fit.Centred, false, 255), "outputs", scoresAt: 5, 0.45),
        "yolo11n-int8" => Columns(picture),
        "yolox_nano" => Yolox(picture),
        "ssd-mobilenet-v1" => TensorFlow(picture),
        "yunet" => YuNet(picture),
        _ => throw new ArgumentException(network),
    };

    private static Feed NanoDet(int size) => new(size, Fit.Stretched, true, 1, NanoDetMean, NanoDetStd);

    private static Feed PicoDet(int size) => new(size, Fit.Stretched, false, 255, ImageNetMean, ImageNetStd);

    /// <summary>Generalised focal loss, arXiv:2006.04388: the distance of a side is the mean of a distribution, in strides.</summary>
    private List<PlainBox> Distributions(
        PlainPicture picture, Feed feed, int[] strides, int bins, double offset, Func<Dictionary<string, float[]>, (float[] Scores, float[] Sides)[]> parts)
    {
        var (values, place) = picture.Planes(feed);
        var pairs = parts(Run(values, feed.Size));
        var scores = pairs.SelectMany(pair => pair.Scores).ToArray();
        var sides = pairs.SelectMany(pair => pair.Sides).ToArray();
        var cells = Cells(feed.Size, strides).ToList();
        var classes = scores.Length / cells.Count;
        var boxes = new List<PlainBox>();
        for (var cell = 0; cell < cells.Count; cell++)
        {
            var (column, row, stride) = cells[cell];
            double Side(int side)
            {
                var own = sides.AsSpan(((4 * cell) + side) * bins, bins).ToArray().Select(bin => Math.Exp(bin)).ToArray();
                return stride * own.Select((weight, i) => i * weight).Sum() / own.Sum();
            }

            for (var c = 0; c < classes; c++)
            {
                if (scores[(cell * classes) + c] > Floor)
                {
                    var (x, y) = ((column + offset) * stride, (row + offset) * stride);
                    boxes.Add(new PlainBox(c, scores[(cell * classes) + c], x - Side(0), y - Side(1), x + Side(2), y + Side(3)));
                }
            }
        }

        return OnPicture(boxes, place, 0.6);
    }

    /// <summary>PaddleDetection with the suppression inside: class, score, left, top, right, bottom.</summary>
    private List<PlainBox> PaddleRows(PlainPicture picture)
    {
        var (values, place) = picture.Planes(PicoDet(320));
        using var scale = OrtValue.CreateTensorValueFromMemory(new float[] { 1, 1 }, [1, 2]);
        var rows = Run(values, 320, ("scale_factor", scale))["multiclass_nms3_0.tmp_0"];
        return [.. rows.Chunk(6).Where(r => r[0] >= 0 && r[1] > Floor).Select(r => place.ToPicture(new PlainBox((int)r[0], r[1], r[2], r[3], r[4], r[5])))];
    }

    private List<PlainBox> Columns(PlainPicture picture)
    {
        const int Cells = 2100;
        var feed = Feed.Plain(320, Fit.Centred, false, 255);
        var (values, place) = picture.Planes(feed);
        var output = Run(values, 320)["output0"];
        var rows = Enumerable.Range(0, Cells).Select(cell => Enumerable.Range(0, 84).Select(n => output[(n * Cells) + cell]).ToArray());
        return OnPicture(rows.SelectMany(row => Centred(row, scoresAt: 4)), place, 0.7);
    }

    private List<PlainBox> Rows(PlainPicture picture, Feed feed, string output, int scoresAt, double iou)
    {
        var (values, place) = picture.Planes(feed);
        return OnPicture(Run(values, feed.Size)[output].Chunk(80 + scoresAt).SelectMany(row => Centred(row, scoresAt)), place, iou);
    }

    /// <summary>Megvii's demo: centres in strides from their cell, sizes as logarithms, the score is objectness × class.</summary>
    private List<PlainBox> Yolox(PlainPicture picture)
    {
        var (values, place) = picture.Planes(Feed.Plain(416, Fit.TopLeft, true, 1));
        var rows = Run(values, 416)["output"].Chunk(85).Zip(Cells(416, [8, 16, 32]));
        return OnPicture(
            rows.SelectMany(pair =>
            {
                var (row, (column, line, stride)) = pair;
                float[] centred =
                [
                    (row[0] + column) * stride, (row[1] + line) * stride, MathF.Exp(row[2]) * stride, MathF.Exp(row[3]) * stride, 1,
                    .. row[5..].Select(score => score * row[4]),
                ];
                return Centred(centred, scoresAt: 5);
            }),
            place,
            0.45);
    }

    /// <summary>TensorFlow's detection models: top, left, bottom and right as fractions, classes from 1.</summary>
    private List<PlainBox> TensorFlow(PlainPicture picture)
    {
        var (pixels, place) = picture.Pixels(Feed.Plain(300, Fit.Stretched, false, 1));
        using var input = OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(pixels, value => (byte)Math.Round(value)), [1, 300, 300, 3]);
        var results = Run([("image_tensor:0", input)]);
        var (boxes, scores, classes) = (results["detection_boxes:0"], results["detection_scores:0"], results["detection_classes:0"]);
        return
        [
            .. Enumerable.Range(0, (int)results["num_detections:0"][0]).Where(i => scores[i] > Floor).Select(i => place.ToPicture(new PlainBox(
                (int)classes[i] - 1, scores[i], 300 * boxes[(4 * i) + 1], 300 * boxes[4 * i], 300 * boxes[(4 * i) + 3], 300 * boxes[(4 * i) + 2]))),
        ];
    }

    /// <summary>OpenCV's FaceDetectorYN: the score is the root of class × objectness.</summary>
    private List<PlainBox> YuNet(PlainPicture picture)
    {
        var (values, place) = picture.Planes(Feed.Plain(640, Fit.TopLeft, true, 1, around: 0));
        var results = Run(values, 640);
        var boxes = new List<PlainBox>();
        foreach (var stride in new[] { 8, 16, 32 })
        {
            var cells = Cells(640, [stride]).ToList();
            for (var i = 0; i < cells.Count; i++)
            {
                var score = Math.Sqrt(Math.Clamp(results[$"cls_{stride}"][i], 0, 1) * Math.Clamp(results[$"obj_{stride}"][i], 0, 1));
                var box = results[$"bbox_{stride}"].AsSpan(4 * i, 4).ToArray();
                float[] row = [(cells[i].Column + box[0]) * stride, (cells[i].Row + box[1]) * stride, MathF.Exp(box[2]) * stride, MathF.Exp(box[3]) * stride, (float)score];
                boxes.AddRange(Centred(row, scoresAt: 4));
            }
        }

        return OnPicture(boxes, place, 0.3);
    }

    /// <summary>A box of centre and size, of its best class as the demos of these networks show it; none when its score is low.</summary>
    private static IEnumerable<PlainBox> Centred(float[] row, int scoresAt)
    {
        var score = row[scoresAt..].Max();
        if (score > Floor)
        {
            yield return new PlainBox(
                Array.IndexOf(row, score, scoresAt) - scoresAt, score, row[0] - (row[2] / 2), row[1] - (row[3] / 2), row[0] + (row[2] / 2), row[1] + (row[3] / 2));
        }
    }

    /// <summary>Drops boxes that overlap a better one of their class, and maps the others to the picture.</summary>
    private static List<PlainBox> OnPicture(IEnumerable<PlainBox> boxes, Place place, double iou)
    {
        var kept = new List<PlainBox>();
        foreach (var box in boxes.OrderByDescending(box => box.Score))
        {
            if (!kept.Exists(better => better.Class == box.Class && better.Overlap(box) > iou))
            {
                kept.Add(box);
            }
        }

        return kept.ConvertAll(place.ToPicture);
    }

    private static IEnumerable<(int Column, int Row, int Stride)> Cells(int size, int[] strides) =>
        from stride in strides
        let across = (size + stride - 1) / stride
        from cell in Enumerable.Range(0, across * across)
        select (cell % across, cell / across, stride);

    private static (float[] First, float[] Second) Split(float[] rows, int first, int second)
    {
        var chunks = rows.Chunk(first + second).ToList();
        return ([.. chunks.SelectMany(row => row[..first])], [.. chunks.SelectMany(row => row[first..])]);
    }

    private Dictionary<string, float[]> Run(float[] values, int size, params (string Name, OrtValue Value)[] others)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(values, [1, 3, size, size]);
        return Run([(session.InputNames.Single(name => others.All(other => other.Name != name)), input), .. others]);
    }

    private Dictionary<string, float[]> Run((string Name, OrtValue Value)[] inputs)
    {
        using var options = new RunOptions();
        string[] names = [.. session.OutputNames.Where(name => session.OutputMetadata[name].ElementType == typeof(float))];
        using var results = session.Run(options, [.. inputs.Select(i => i.Name)], [.. inputs.Select(i => i.Value)], names);
        return names.Zip(results).ToDictionary(pair => pair.First, pair => pair.Second.GetTensorDataAsSpan<float>().ToArray());
    }
}
