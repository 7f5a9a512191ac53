using System.Text.Json;
using Detection.Inference.Heads;
using Detection.Objects;
using Detection.Tool.Evaluation;

namespace Detection.Tool.Tests.Evaluation;

public sealed class CocoEvaluatorTests
{
    /// <summary>
    /// 8 pictures, 3 classes, crowds, more than 100 boxes on one picture, equal scores. The expected numbers come from a program of
    /// its own (numpy, exhaustive loops over the definition), not from this code.
    /// </summary>
    [Fact]
    public void Scores_match_an_independent_program()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(CasePath));
        var evaluator = new CocoEvaluator(CocoDataset.Load(CasePath));
        foreach (var box in file.RootElement.GetProperty("boxes").EnumerateArray())
        {
            var corners = box.GetProperty("box").EnumerateArray().Select(n => n.GetSingle()).ToArray();
            evaluator.Add(
                box.GetProperty("image_id").GetInt64(),
                [new DetectedObject(box.GetProperty("category_id").GetInt32(), box.GetProperty("score").GetSingle(), corners[0], corners[1], corners[2], corners[3])],
                id => id);
        }

        var scores = evaluator.Evaluate();

        var expected = file.RootElement.GetProperty("expected").EnumerateObject().ToList();
        Assert.Equal(12, expected.Count);
        Assert.All(expected, e => Assert.Equal(e.Value.GetDouble(), (double)typeof(CocoScores).GetProperty(e.Name)!.GetValue(scores)!, 1e-6));
    }

    [Fact]
    public void Precision_matches_a_calculation_by_hand()
    {
        // Three wanted; by score: hit, miss, hit, and the third is never found. Precision 1 up to recall 1/3, then 2/3 up to 2/3:
        // recalls 0 … 0.33 (34 of them) read 1, 0.34 … 0.66 (33) read 2/3, the rest 0.
        var evaluator = Evaluator([(0, 0, 50, 50, 0), (100, 0, 50, 50, 0), (200, 0, 50, 50, 0)]);
        evaluator.Add(1, [Box(0.9f, 0, 0, 50, 50), Box(0.8f, 300, 300, 350, 350), Box(0.7f, 100, 0, 150, 50)], _ => 1);

        var scores = evaluator.Evaluate();

        var expected = (34 + (33 * 2 / 3.0)) / 101;
        Assert.All([scores.Ap, scores.Ap50, scores.Ap75, scores.ApMedium], ap => Assert.Equal(expected, ap, 1e-9));
        Assert.Equal(2 / 3.0, scores.Ar100, 1e-9);
        Assert.Equal(1 / 3.0, scores.Ar1, 1e-9);
        Assert.Equal((-1.0, -1.0), (scores.ApSmall, scores.ApLarge));
    }

    [Fact]
    public void A_box_counts_at_the_overlaps_it_reaches()
    {
        // 80 of 100 columns: an overlap of 0.8 reaches 0.5, 0.55, …, 0.8, seven of ten.
        var evaluator = Evaluator([(0, 0, 100, 100, 0)]);
        evaluator.Add(1, [Box(0.9f, 0, 0, 80.0001f, 100)], _ => 1);

        var scores = evaluator.Evaluate();

        Assert.Equal(0.7, scores.Ap, 1e-9);
        Assert.Equal((1.0, 1.0), (scores.Ap50, scores.Ap75));
    }

    [Fact]
    public void A_second_box_on_the_same_object_is_a_miss_and_boxes_on_a_crowd_do_not_count()
    {
        var evaluator = Evaluator([(0, 0, 50, 50, 0), (200, 200, 200, 200, 1)]);
        evaluator.Add(1, [Box(0.9f, 210, 210, 260, 260), Box(0.85f, 300, 300, 350, 350), Box(0.8f, 0, 0, 50, 50), Box(0.7f, 0, 0, 50, 50)], _ => 1);

        Assert.Equal(1.0, evaluator.Evaluate().Ap, 1e-9);
    }

    [Fact]
    public void ToString_prints_the_table_of_pycocotools()
    {
        var text = new CocoScores(0.3617, 0.6144, -1, 0, 0.25, 1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6).ToString();

        Assert.Equal(
            """
             Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.362
             Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.614
             Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = -1.000
             Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.000
             Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.250
             Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = 1.000
             Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 0.100
             Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ] = 0.200
             Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.300
             Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.400
             Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.500
             Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = 0.600

            """,
            text);
    }

    [Fact]
    public void File_that_is_not_an_annotation_file_is_refused()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, """{ "images": [] }""");
            Assert.Contains("not a COCO annotation file", Assert.Throws<InvalidDataException>(() => CocoDataset.Load(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string CasePath => Path.Combine(AppContext.BaseDirectory, "Evaluation", "coco-case.json");

    private static DetectedObject Box(float score, float x1, float y1, float x2, float y2) => new(0, score, x1, y1, x2, y2);

    private static CocoEvaluator Evaluator((double X, double Y, double Width, double Height, int Crowd)[] wanted) => new(new CocoDataset
    {
        Images = [new CocoImage(1, "1.jpg", 640, 480)],
        Categories = [new CocoCategory(1, "one")],
        Annotations = [.. wanted.Select(w => new CocoAnnotation(1, 1, [w.X, w.Y, w.Width, w.Height], w.Width * w.Height, w.Crowd))],
    });
}
