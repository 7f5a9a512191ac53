using System.Text.Json;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Tests.Heads;

/// <summary>The published file of YuNet, without a manifest, on photos of people.</summary>
public sealed class YuNetTests
{
    private const int Size = 640;
    private const int Pictures = 30;

    [Fact]
    public async Task Faces_match_the_outputs_and_belong_to_people()
    {
        var source = ModelFile.Read(SharedFiles.FindOrSkip("models/tasks/yunet_n_640_640.onnx"));
        var folder = SharedFiles.FindOrSkip("images/coco-person");
        var manifest = source.Manifest;
        Assert.Equal(["face"], manifest.Labels);
        var people = People(Path.Combine(folder, "annotations.json"));

        await using var model = await DroppedModel.Load(source);
        using var session = new InferenceSession(source.Path);
        var (sure, ofPeople) = (0, 0);
        foreach (var file in people.Keys.Order(StringComparer.Ordinal).Take(Pictures))
        {
            var photo = File.ReadAllBytes(Path.Combine(folder, file));

            var boxes = (await model.Detect(photo))[0].Boxes;

            BoxAssert.Same(Expected(session, manifest, photo), boxes, pixels: 0.01f);
            foreach (var face in boxes.Where(box => box.Score >= 0.7f))
            {
                var (x, y) = ((face.X1 + face.X2) / 2, (face.Y1 + face.Y2) / 2);
                sure++;
                ofPeople += people[file].Exists(p => x > p.X1 && x < p.X2 && y > p.Y1 && y < p.Y2) ? 1 : 0;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{sure} faces, {ofPeople} of them inside people");
        Assert.InRange(sure, 15, int.MaxValue);
        Assert.InRange(ofPeople, 0.9 * sure, sure);
    }

    /// <summary>A plain decoder, in double precision.</summary>
    private static List<DetectedObject> Expected(InferenceSession session, ModelManifest manifest, byte[] photo)
    {
        using var picture = PictureDecoder.Decode(photo, new PictureLimits());
        var bytes = new byte[manifest.Input.ByteLength];
        var geometry = Preprocessor.Write(picture, manifest.Input, bytes);
        var values = new float[bytes.Length / sizeof(float)];
        Buffer.BlockCopy(bytes, 0, values, 0, bytes.Length);
        using var input = OrtValue.CreateTensorValueFromMemory(values, [1, 3, Size, Size]);
        using var options = new RunOptions();
        using var results = session.Run(options, ["input"], [input], session.OutputNames);
        float[] Output(string name) => results[session.OutputNames.ToList().IndexOf(name)].GetTensorDataAsSpan<float>().ToArray();

        var all = new List<DetectedObject>();
        foreach (var stride in new[] { 8, 16, 32 })
        {
            var (cls, obj, bbox) = (Output($"cls_{stride}"), Output($"obj_{stride}"), Output($"bbox_{stride}"));
            var across = Size / stride;
            for (var cell = 0; cell < across * across; cell++)
            {
                var score = Math.Sqrt(Math.Clamp((double)cls[cell], 0, 1) * Math.Clamp((double)obj[cell], 0, 1));
                if (score >= manifest.ScoreFloor)
                {
                    var (x, y) = (((cell % across) + (double)bbox[4 * cell]) * stride, ((cell / across) + (double)bbox[(4 * cell) + 1]) * stride);
                    var (w, h) = (Math.Exp(bbox[(4 * cell) + 2]) * stride, Math.Exp(bbox[(4 * cell) + 3]) * stride);
                    all.Add(new DetectedObject(0, (float)score, (float)(x - (w / 2)), (float)(y - (h / 2)), (float)(x + (w / 2)), (float)(y + (h / 2))));
                }
            }
        }

        return [.. BoxAssert.OnPicture(NonMaxSuppressionTests.Plain(all, manifest.Iou, false), geometry).Take(manifest.MaxBoxes)];
    }

    private static Dictionary<string, List<DetectedObject>> People(string annotations)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(annotations));
        var files = document.RootElement.GetProperty("images").EnumerateArray()
            .ToDictionary(image => image.GetProperty("id").GetInt32(), image => image.GetProperty("file_name").GetString()!);
        return document.RootElement.GetProperty("annotations").EnumerateArray()
            .GroupBy(a => files[a.GetProperty("image_id").GetInt32()])
            .ToDictionary(
                group => group.Key,
                group => group.Select(a => a.GetProperty("bbox").EnumerateArray().Select(n => n.GetSingle()).ToArray())
                    .Select(b => new DetectedObject(0, 1, b[0], b[1], b[0] + b[2], b[1] + b[3])).ToList());
    }
}
