using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;
using Xunit;

namespace Detection.Inference.Tests.Heads;

public sealed class NanoDetHeadTests
{
    private const int Size = 416;
    private const int Cells = 3549;
    private const int Bins = 11;

    private static readonly ModelManifest Manifest = new()
    {
        Family = "nanodet",
        Input = new InputSpec { Width = Size, Height = Size },
        Labels = ["person", "dog", "cat"],
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_the_boxes_of_the_plain_definition(bool oneOutput)
    {
        var random = new Random(3);
        var scores = Enumerable.Range(0, Cells * 3).Select(_ => random.NextSingle() < 0.01f ? random.NextSingle() : 0.01f).ToArray();
        var distances = Enumerable.Range(0, Cells * 4 * Bins).Select(_ => (random.NextSingle() * 12) - 6).ToArray();
        var geometry = new InputGeometry(416f / 640, 416f / 480, 0, 0, 640, 480);
        var boxes = new List<DetectedObject>();

        DetectionHeads.Create(Manifest).Read(
            oneOutput ? [Joined(scores, distances)] : [new("d", [Cells, 4 * Bins], distances), new("s", [Cells, 3], scores)],
            geometry,
            new HeadSettings(0.3f, 0.5f, 300),
            boxes);

        var expected = Plain(scores, distances, geometry, [8, 16, 32], Bins, 0.5);
        Assert.InRange(expected.Count, 20, 299);
        BoxAssert.Same(expected, boxes);
    }

    [Fact]
    public void Reads_NanoDet_Plus_with_its_four_maps_eight_bins_and_centres_at_the_corner()
    {
        const int PlusCells = Cells + 49;
        var random = new Random(5);
        var rows = new float[PlusCells * (3 + 32)];
        var scores = new float[PlusCells * 3];
        var distances = new float[PlusCells * 32];
        for (var cell = 0; cell < PlusCells; cell++)
        {
            for (var i = 0; i < 35; i++)
            {
                rows[(cell * 35) + i] = i < 3 ? (random.NextSingle() < 0.01f ? random.NextSingle() : 0) : (random.NextSingle() * 8) - 4;
            }

            rows.AsSpan(cell * 35, 3).CopyTo(scores.AsSpan(cell * 3));
            rows.AsSpan((cell * 35) + 3, 32).CopyTo(distances.AsSpan(cell * 32));
        }

        var geometry = new InputGeometry(416f / 640, 416f / 480, 0, 0, 640, 480);
        var boxes = new List<DetectedObject>();
        var manifest = Manifest with { Head = new HeadOptions { Strides = [8, 16, 32, 64], RegMax = 7, CellOffset = 0 } };

        DetectionHeads.Create(manifest).Read([new("output", [PlusCells, 35], rows)], geometry, new HeadSettings(0.3f, 0.5f, 300), boxes);

        var expected = Plain(scores, distances, geometry, [8, 16, 32, 64], 8, 0);
        Assert.InRange(expected.Count, 20, 299);
        BoxAssert.Same(expected, boxes);
    }

    [Fact]
    public void Outputs_of_another_shape_are_reported()
    {
        var head = DetectionHeads.Create(Manifest with { Labels = ["person"] });

        var error = Assert.Throws<ModelException>(() => head.Read(
            [new("s", [Cells, 3], new float[Cells * 3]), new("d", [Cells, 44], new float[Cells * 44])],
            new InputGeometry(1, 1, 0, 0, Size, Size),
            new HeadSettings(0.3f, 0.5f, 300),
            []));

        Assert.Contains("\"s\" [3549, 3]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[3549, 1]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Allocates_nothing_once_warm()
    {
        var head = DetectionHeads.Create(Manifest);
        var scores = new float[Cells * 3];
        scores[300] = 0.9f;
        OutputTensor[] outputs = [new("scores", [Cells, 3], scores), new("distances", [Cells, 44], new float[Cells * 44])];
        var boxes = new List<DetectedObject>(16);
        var allocated = long.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            boxes.Clear();
            var before = GC.GetAllocatedBytesForCurrentThread();
            head.Read(outputs, new InputGeometry(1, 1, 0, 0, Size, Size), new HeadSettings(0.3f, 0.5f, 300), boxes);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Single(boxes);
        Assert.Equal(0, allocated);
    }

    private static OutputTensor Joined(float[] scores, float[] distances)
    {
        var rows = new List<float>();
        for (var cell = 0; cell < Cells; cell++)
        {
            rows.AddRange(scores.Skip(cell * 3).Take(3));
            rows.AddRange(distances.Skip(cell * 4 * Bins).Take(4 * Bins));
        }

        return new OutputTensor("output", [Cells, 3 + (4 * Bins)], rows.ToArray());
    }

    private static List<DetectedObject> Plain(float[] scores, float[] distances, InputGeometry geometry, int[] strides, int bins, double offset)
    {
        var all = new List<DetectedObject>();
        var cell = 0;
        foreach (var stride in strides)
        {
            for (var row = 0; row < Math.Ceiling((double)Size / stride); row++)
            {
                for (var column = 0; column < Math.Ceiling((double)Size / stride); column++, cell++)
                {
                    double Distance(int side)
                    {
                        var weights = Enumerable.Range(0, bins).Select(b => Math.Exp(distances[(cell * 4 * bins) + (side * bins) + b])).ToArray();
                        return weights.Select((w, b) => w * b).Sum() / weights.Sum() * stride;
                    }

                    for (var label = 0; label < 3; label++)
                    {
                        var score = scores[(cell * 3) + label];
                        if (score >= 0.3f)
                        {
                            var x = (column + offset) * stride;
                            var y = (row + offset) * stride;
                            all.Add(new DetectedObject(
                                label, score, (float)(x - Distance(0)), (float)(y - Distance(1)), (float)(x + Distance(2)), (float)(y + Distance(3))));
                        }
                    }
                }
            }
        }

        return BoxAssert.OnPicture(NonMaxSuppressionTests.Plain(all, 0.5, classAgnostic: false), geometry);
    }
}
