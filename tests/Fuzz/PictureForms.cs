using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Detection.Fuzz;

/// <summary>All forms in which a picture can be sent.</summary>
internal static class PictureForms
{
    private const string Boundary = "fuzz-7d1f";

    /// <summary>A valid request with this picture; the picture may have faults.</summary>
    public static RequestText Make(Random random, byte[] picture)
    {
        switch (random.Next(10))
        {
            case 0 or 1 or 2:
                var raw = new RequestText("POST", Detections(random)) { ContentType = random.Of<string>(["image/jpeg", "image/png", "application/octet-stream", ""]), Body = picture };
                if (random.OneIn(4))
                {
                    raw.Headers.Add(("Accept", "image/jpeg"));
                }

                return raw;
            case 3:
                return new RequestText("POST", Detections(random)) { ContentType = "application/json", Body = Latin($"{{\"image\":\"{Convert.ToBase64String(picture)}\"}}") };
            case 4:
                return new RequestText("POST", InferPath(random))
                {
                    ContentType = "application/json",
                    Body = Latin($"{{\"inputs\":[{{\"name\":\"image\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"{Convert.ToBase64String(picture)}\"]}}]}}"),
                };
            case 5:
                var json = Latin(
                    $"{{\"inputs\":[{{\"name\":\"image\",\"shape\":[1],\"datatype\":\"BYTES\",\"parameters\":{{\"binary_data_size\":{(picture.Length + 4).ToString(CultureInfo.InvariantCulture)}}}}}],\"parameters\":{{\"binary_data_output\":true}}}}");
                var infer = new RequestText("POST", InferPath(random)) { ContentType = "application/octet-stream", Body = [.. json, .. WithLength(picture)] };
                infer.Headers.Add(("Inference-Header-Content-Length", json.Length.ToString(CultureInfo.InvariantCulture)));
                return infer;
            case 6:
                return new RequestText("POST", "/v1/detections/batch")
                {
                    ContentType = "application/x-ndjson",
                    Body = Latin(string.Join('\n', Enumerable.Repeat($"{{\"image\":\"{Convert.ToBase64String(picture)}\"}}", picture.Length > 1_000_000 ? 1 : random.Next(1, 4)))),
                };
            default:
                return MakeForm(random, picture);
        }
    }

    /// <summary>The same with a form.</summary>
    public static RequestText MakeForm(Random random, byte[] picture)
    {
        var (target, field) = random.Of<(string, string)>(
        [
            (Detections(random), "image"), ("/v1/detections/batch", "image"), ("/v1/vision/detection", "image"), ("/v1/vision/custom/nanodet-g", "image"),
            ("/detect/imageDetect", "imageFile"), ("/detectImage", "imageFile"), ("/detectOutWithCache", "imageFile"), ("/detect/imageDetect", "imageBase64Code"),
        ]);
        if (field == "imageBase64Code" && random.OneIn(2))
        {
            return new RequestText("POST", target)
            {
                ContentType = "application/x-www-form-urlencoded",
                Body = Latin($"{field}={Convert.ToBase64String(picture).Replace("+", "%2B", StringComparison.Ordinal)}"),
            };
        }

        using var body = new MemoryStream();
        void Part(string disposition, byte[] bytes)
        {
            body.Write(Latin($"--{Boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"));
            body.Write(bytes);
            body.Write("\r\n"u8);
        }

        if (random.OneIn(3))
        {
            Part(random.Of<string>(["name=\"min_confidence\"", "name=min_confidence", "name=\"\"", "name=\"x\"; filename=\"y\"", "filename*=utf-8''%ff", "name=\"imageLink\"", "name=\"\xff\"", "name=\"a\"; name=\"b\""]), Latin(random.Of<string>(["0.4", "", "NaN", "-1", "2", "\xff", new string('x', 10_000)])));
        }

        if (random.OneIn(40))
        {
            for (var part = 0; part < 1500; part++)
            {
                Part($"name=\"{part.ToString(CultureInfo.InvariantCulture)}\"", []);
            }
        }

        var sent = field == "imageBase64Code" ? Latin(Convert.ToBase64String(picture)) : picture;
        var file = field == "imageBase64Code" ? "" : random.Of<string>(["; filename=\"a.jpg\"", "; filename=\"a.jpg\"", "; filename=\"../../a\"", "; filename=\"\"", "; filename*=utf-8''a%00.jpg", "; filename=\"\xff\xfe\"", "; filename=a b", $"; filename=\"{new string('f', 5000)}\"", ""]);
        for (var count = target.EndsWith("/batch", StringComparison.Ordinal) && picture.Length < 1_000_000 ? random.Next(1, 4) : 1; count > 0; count--)
        {
            Part($"name=\"{field}\"{file}", sent);
        }

        body.Write(Latin($"--{Boundary}--\r\n"));
        return new RequestText("POST", target) { ContentType = $"multipart/form-data; boundary={Boundary}", Body = body.ToArray() };
    }

    /// <summary>A path of the Open Inference Protocol, mostly of a model that is served.</summary>
    public static string InferPath(Random random) => random.Of<string>(
        ["/v2/models/nanodet-g/infer", "/v2/models/nanodet-g/infer", "/v2/models/nanodet-g/infer", "/v2/models/nanodet-g/versions/000000000000/infer", "/v2/models/x/infer"]);

    /// <summary>Bytes after their length, as in the binary tensor data extension.</summary>
    public static byte[] WithLength(byte[] picture)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, picture.Length);
        return [.. length, .. picture];
    }

    /// <summary>Number of bytes of <see cref="WithLength"/>, of a picture in base64.</summary>
    public static string BinarySize(string base64) => (Convert.FromBase64String(base64).Length + 4).ToString(CultureInfo.InvariantCulture);

    private static string Detections(Random random) =>
        random.Of<string>(["/v1/detections", "/v1/detections", "/v1/detections?async=true", "/v1/detections?threshold=0.1", "/v1/detections?timeout=20", "/v1/detections?iou=0.4&max=3"]);

    private static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);
}
