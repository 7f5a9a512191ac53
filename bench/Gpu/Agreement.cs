using Detection.Inference.Devices;
using Detection.Inference.Devices.Discovery;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Objects;
using Microsoft.Extensions.Logging;

namespace Detection.Bench.Gpu;

/// <summary>Difference between the boxes of a device and those of the CPU.</summary>
/// <param name="Boxes">Number of the CPU's boxes that are compared.</param>
/// <param name="Missing">Number of these boxes that the device does not have.</param>
/// <param name="Extra">Number of the device's boxes that the CPU does not have.</param>
/// <param name="Pixels">Maximum distance of a side, in pixels of the photo.</param>
/// <param name="Score">Maximum difference of a score.</param>
internal sealed record Agreement(int Boxes, int Missing, int Extra, double Pixels, double Score)
{
    /// <summary>Lowest score of boxes that both must have.</summary>
    private const float Certain = 0.25f;

    public static async Task<Agreement> CompareAsync(
        ModelSource model, IModelSession session, DeviceOptions cpuOptions, PictureWork[] works, ILoggerFactory loggers)
    {
        await using var cpu = new DeviceDiscovery(cpuOptions, TimeProvider.System, loggers).Open().Devices[0];
        await using var cpuSession = await cpu.LoadAsync(model, CancellationToken.None);
        var expected = await DetectAsync(cpuSession, works);
        var actual = await DetectAsync(session, works);
        var result = new Agreement(0, 0, 0, 0, 0);
        for (var i = 0; i < works.Length; i++)
        {
            foreach (var box in expected[i].Where(box => box.Score >= Certain))
            {
                result = result with { Boxes = result.Boxes + 1 };
                result = Nearest(box, actual[i]) is { } other
                    ? result with { Pixels = Math.Max(result.Pixels, Distance(box, other)), Score = Math.Max(result.Score, Math.Abs(box.Score - other.Score)) }
                    : result with { Missing = result.Missing + 1 };
            }

            var extra = actual[i].Count(box => box.Score >= Certain && Nearest(box, expected[i]) is null);
            result = result with { Extra = result.Extra + extra };
        }

        return result;
    }

    public override string ToString() =>
        $"{Boxes} boxes with a score of {Certain} or more, {Missing} missing, {Extra} more; at most {Pixels:0.000} px and {Score:0.00000} of a score apart";

    private static async Task<DetectedObject[][]> DetectAsync(IModelSession session, PictureWork[] works)
    {
        var boxes = new DetectedObject[works.Length][];
        await session.DetectAsync(works, (index, outcome) => boxes[index] = outcome.Boxes, CancellationToken.None);
        return boxes;
    }

    // A box further away is another box.
    private static DetectedObject? Nearest(DetectedObject box, DetectedObject[] others) => others
        .Where(other => other.ClassId == box.ClassId && Distance(box, other) < 8)
        .OrderBy(other => Distance(box, other))
        .Select(other => (DetectedObject?)other)
        .FirstOrDefault();

    private static double Distance(DetectedObject a, DetectedObject b) => Math.Max(
        Math.Max(Math.Abs(a.X1 - b.X1), Math.Abs(a.Y1 - b.Y1)),
        Math.Max(Math.Abs(a.X2 - b.X2), Math.Abs(a.Y2 - b.Y2)));
}
