using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Detection.Testing;

namespace Detection.Fuzz;

/// <summary>Creates the requests. The same seed and number give the same request.</summary>
/// <param name="seed">Seed of the run.</param>
/// <param name="redisPort">Port of the embedded Redis, which a fetch must not reach.</param>
/// <param name="pictures">A host that pictures may be fetched from.</param>
internal sealed class Requests(int seed, int redisPort, Uri pictures)
{
    private static readonly string[] Methods =
        ["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "FOO", "M-SEARCH", "QUERY"];

    private static readonly string[] Paths =
    [
        "/", "/index.html", "/js/main.js", "/css/layout.css", "/favicon.svg", "/status", "/status/", "/status/js/main.js", "/detectConsult", "/health/live", "/health/ready", "/metrics", "/openapi/v1.json",
        "/v1/detections", "/v1/detections/batch", "/v1/detections/KEY", "/v1/detections/KEY/image", "/v1/detections/KEY/events", "/v1/models", "/v1/models/nanodet-g", "/v1/status",
        "/v1/vision/detection", "/v1/vision/custom/nanodet-g", "/v1/vision/custom/x", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/nanodet-g", "/v2/models/nanodet-g/ready", "/v2/models/nanodet-g/infer",
        "/v2/models/nanodet-g/versions/000000000000", "/v2/models/nanodet-g/versions/000000000000/ready", "/v2/models/x/versions/1/infer", "/v2/models/x/infer",
        "/detect/imageDetect", "/detectImage", "/detectOutWithCache", "/problems/queue-full", "/problems/x", "/dashboard", "/nothing/here",
    ];

    /// <summary>The request of a number.</summary>
    public FuzzRequest Make(int number)
    {
        var random = new Random(HashCode(seed, number));
        return random.Next(100) switch
        {
            < 33 => Picture(random),
            < 44 => Query(random),
            < 56 => Json(random),
            < 66 => Form(random),
            < 74 => Header(random),
            < 83 => Path(random),
            < 90 => Framing(random),
            < 95 => Address(random),
            _ => Reading(random),
        };
    }

    private static FuzzRequest Picture(Random random)
    {
        var request = PictureForms.Make(random, PictureMutations.Make(random));
        if (random.OneIn(10))
        {
            request.ContentType = random.Of<string>(["", "image/jpeg", "image/png", "image/tiff", "application/octet-stream", "text/plain", "application/json", "application/x-www-form-urlencoded"]);
        }

        if (random.OneIn(5))
        {
            request.NextChunk = () => random.Next(1, 100_000);
        }

        return new FuzzRequest("picture", request.ToBytes());
    }

    private static FuzzRequest Query(Random random)
    {
        var key = random.Of<string>([TestPictures.ImageKey(PictureMutations.Seed(random)), OddTexts.Segment(random)]);
        var request = random.Next(6) switch
        {
            0 => new RequestText("GET", "/v1/detections/" + key),
            1 => new RequestText("GET", $"/v1/detections/{key}/image"),
            2 => new RequestText("GET", $"/v1/detections/{key}/events"),
            _ => PictureForms.Make(random, PictureMutations.Seed(random)),
        };
        string[] names = ["threshold", "model", "iou", "max", "labels", "timeout", "async", "wait", "webhook", "THRESHOLD", "%74hreshold", "", "x", "threshold[]", "model%00"];
        var pairs = Enumerable.Range(0, random.Next(1, 5)).Select(_ => $"{random.Of(names)}{random.Of<string>(["=", "=", "=", "", "=="])}{OddTexts.Query(random)}");
        request.Target = request.Target.Split('?')[0] + "?" + string.Join(random.Of<string>(["&", "&", "&", "&&", ";", "?"]), pairs);
        return new FuzzRequest("query", request.ToBytes()) { MayBreakHttp = request.Target.Length > 8000 };
    }

    private FuzzRequest Json(Random random)
    {
        string Value(string good) => random.OneIn(4) ? OddTexts.JsonValue(random) : good;
        string Name(string good) => random.OneIn(25) ? OddTexts.JsonValue(random) : $"\"{good}\"";
        var picture = Convert.ToBase64String(PictureMutations.Seed(random));
        string One() => random.Next(3) switch
        {
            0 => $"{{{Name("url")}:{Value($"\"{pictures}picture/{random.Next()}\"")}}}",
            1 => $"{{{Name("image")}:{Value($"\"{picture}\"")}{(random.OneIn(3) ? $",{Name("other")}:{Value("1")}" : "")}}}",
            _ => $"{{{Name("image")}:{Value($"\"{picture}\"")},{Name("url")}:{Value("null")}}}",
        };

        var request = new RequestText("POST", "/v1/detections") { ContentType = "application/json" };
        byte[] body;
        switch (random.Next(4))
        {
            case 0:
                body = Latin(One());
                break;
            case 1:
                request.Target = "/v1/detections/batch";
                request.ContentType = random.Of<string>(["application/x-ndjson", "application/jsonl"]);
                body = Latin(string.Join(random.Of<string>(["\n", "\r\n", "\n\n", " \n", "\r"]), Enumerable.Range(0, random.Next(5)).Select(_ => One())));
                break;
            default:
                request.Target = PictureForms.InferPath(random);
                var binary = random.OneIn(2);
                var data = binary
                    ? $"{Name("parameters")}:{{{Name("binary_data_size")}:{Value(PictureForms.BinarySize(picture))}}}"
                    : $"{Name("data")}:{Value($"[{Value($"\"{picture}\"")}]")}";
                var header = Latin(
                    $"{{{Name("id")}:{Value("\"7\"")},{Name("inputs")}:{Value($"[{{{Name("name")}:{Value("\"image\"")},{Name("shape")}:{Value("[1]")},{Name("datatype")}:{Value("\"BYTES\"")},{data}}}]")},"
                    + $"{Name("parameters")}:{Value($"{{{Name("threshold")}:{Value("0.4")},{Name("iou")}:{Value("0.6")},{Name("timeout")}:{Value("5000000")},{Name("binary_data_output")}:{Value("true")}}}")},"
                    + $"{Name("outputs")}:{Value($"[{{{Name("name")}:{Value("\"boxes\"")},{Name("parameters")}:{Value("{\"binary_data\":true}")}}}]")}}}");
                body = header;
                if (binary)
                {
                    body = [.. header, .. PictureForms.WithLength(Convert.FromBase64String(picture))];
                    if (!random.OneIn(10))
                    {
                        var length = random.OneIn(5) ? random.Next(-10, body.Length + 10) : header.Length;
                        request.Headers.Add(("Inference-Header-Content-Length", length.ToString(CultureInfo.InvariantCulture)));
                    }
                }

                break;
        }

        request.Body = random.OneIn(4) ? PictureMutations.Mutate(random, body) : body;
        return new FuzzRequest("json", request.ToBytes());
    }

    private static FuzzRequest Form(Random random)
    {
        var request = PictureForms.MakeForm(random, PictureMutations.Seed(random));
        if (random.OneIn(2))
        {
            // The first and the last bytes belong to the form; the picture is between them.
            var (head, tail) = (Math.Min(200, request.Body!.Length / 2), Math.Min(100, request.Body.Length / 2));
            request.Body =
            [
                .. PictureMutations.Mutate(random, request.Body[..head]),
                .. request.Body[head..^tail],
                .. random.OneIn(2) ? PictureMutations.Mutate(random, request.Body[^tail..]) : request.Body[^tail..],
            ];
        }

        if (random.OneIn(6))
        {
            request.ContentType = random.Of<string>(
            [
                "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=other", "multipart/form-data; boundary=--", "multipart/form-data; boundary=x; boundary=y",
                "multipart/form-data; boundary=\"a b\"", $"multipart/form-data; boundary={new string('b', 300)}", "multipart/mixed; boundary=x", "multipart/form-data; charset=utf-7; boundary=x", "application/x-www-form-urlencoded; charset=x",
            ]);
        }

        return new FuzzRequest("form", request.ToBytes());
    }

    private static FuzzRequest Header(Random random)
    {
        string[] names =
        [
            "Accept", "Accept-Encoding", "Accept-Language", "Accept-Charset", "Prefer", "X-API-Key", "Authorization", "Content-Encoding", "Content-Language", "Range", "If-None-Match", "If-Match", "If-Modified-Since", "If-Range",
            "Cookie", "Referer", "Origin", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "traceparent", "tracestate", "baggage", "TE", "Via", "Max-Forwards", "X-HTTP-Method-Override",
            "Inference-Header-Content-Length", "Content-Disposition", "Content-Type", "Cache-Control", "User-Agent", "X-Odd", "Sec-Fetch-Site", "Access-Control-Request-Method", "Pragma",
        ];
        var request = random.Next(3) switch
        {
            0 => new RequestText("GET", random.Of(Paths).Replace("KEY", TestPictures.ImageKey(PictureMutations.Seed(random)), StringComparison.Ordinal)),
            _ => PictureForms.Make(random, PictureMutations.Seed(random)),
        };
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            request.Headers.Add((random.Of(names), OddTexts.Header(random)));
        }

        var breaks = random.OneIn(5);
        if (breaks)
        {
            request.Headers.AddRange(random.Of<IEnumerable<(string, string)>>(
            [
                [("Host", "other")], [("Host", "a b")], [("Host", "[::1")], [("Transfer-Encoding", "gzip, chunked")], [("Transfer-Encoding", "identity")], [("Content-Length", "1")], [("Content-Length", "-1")], [("Expect", "200-ok")],
                [("X-Odd", "\x01")], [("X-Odd", "\0")], [("X-Odd", "\xff\xfe")], [("X Odd", "x")], [("", "x")], [("X-Odd", new string('x', 40_000))], [("X-Odd", "a\r\n b")], [("Upgrade", "h2c"), ("HTTP2-Settings", "x")],
                [("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x"), ("Sec-WebSocket-Version", "13")], Enumerable.Range(0, 150).Select(static i => ($"X-{i}", "x")), [("Content-Length", "99999999999999999999")], [("Keep-Alive", "x"), ("Connection", "x")],
            ]));
        }

        // The server joins a repeated content type, so this would not be valid HTTP.
        return new FuzzRequest("header", request.ToBytes())
        {
            MayBreakHttp = breaks || request.Headers.Sum(static header => header.Name.Length + header.Value.Length) > 30_000,
            Ending = breaks ? Ending.HalfCloses : Ending.Waits,
        };
    }

    private static FuzzRequest Path(Random random)
    {
        var segments = random.Of(Paths).Replace("KEY", TestPictures.ImageKey(PictureMutations.Seed(random)), StringComparison.Ordinal).Split('/').ToList();
        for (var count = random.Next(3); count > 0; count--)
        {
            var at = random.Next(1, segments.Count + 1);
            switch (random.Next(3))
            {
                case 0 when at < segments.Count:
                    segments[at] = OddTexts.Segment(random);
                    break;
                case 1 when at < segments.Count:
                    segments[at] += OddTexts.Segment(random);
                    break;
                default:
                    segments.Insert(at, OddTexts.Segment(random));
                    break;
            }
        }

        var request = new RequestText(random.Of(Methods), string.Join('/', segments));
        if (request.Method is "POST" or "PUT" or "PATCH" && random.OneIn(2))
        {
            request.Body = PictureMutations.Seed(random);
            request.ContentType = "image/jpeg";
        }

        return new FuzzRequest("path", request.ToBytes()) { MayBreakHttp = request.Target.Length > 8000 };
    }

    private FuzzRequest Address(Random random)
    {
        string[] odd = ["loop", "inside", "missing", "empty", "gzip", "short", "text", "status/500", "status/410", "status/429", "status/204", "status/206", "status/999", "nowhere", $"picture/{random.Next()}"];
        var address = random.OneIn(3) ? pictures + random.Of(odd) : OddTexts.Address(random, redisPort);
        var json = $"{{\"url\":\"{address}\"}}";
        if (random.OneIn(4))
        {
            // A picture and the URL of a webhook.
            var picture = PictureForms.Make(random, PictureMutations.Seed(random));
            picture.Target = $"/v1/detections?async=true&webhook={Uri.EscapeDataString(address)}{random.Of<string>(["", "&webhook=x", "&threshold=0.2"])}";
            return new FuzzRequest("webhook", picture.ToBytes()) { MayBreakHttp = picture.Target.Length > 8000 };
        }

        RequestText request = random.Next(4) switch
        {
            0 => new RequestText("POST", "/v1/detections/batch") { ContentType = "application/x-ndjson", Body = Latin(json + "\n" + json) },
            1 => new RequestText("POST", random.Of<string>(["/detect/imageDetect", "/detectImage", "/detectOutWithCache"]))
            {
                ContentType = "application/x-www-form-urlencoded",
                Body = Latin("imageLink=" + Uri.EscapeDataString(address)),
            },
            2 => new RequestText("POST", "/v1/detections?async=true") { ContentType = "application/json", Body = Latin(json) },
            _ => new RequestText("POST", "/v1/detections") { ContentType = "application/json", Body = Latin(json) },
        };
        return new FuzzRequest("address", request.ToBytes());
    }

    private static FuzzRequest Reading(Random random)
    {
        byte[] unknown = new byte[32];
        random.NextBytes(unknown);
        var key = random.OneIn(3) ? TestPictures.ImageKey(PictureMutations.Seed(random)) : random.OneIn(3) ? OddTexts.Segment(random) : Convert.ToHexStringLower(unknown);
        var request = new RequestText(
            random.Of<string>(["GET", "GET", "GET", "HEAD"]),
            $"/v1/detections/{key}{random.Of<string>(["", "/image", "/events", "/events/", "/x"])}{random.Of<string>(["", "?wait=60", "?wait=0.1", "?wait=60&model=x", "?iou=0.5", "?threshold=0.9&labels=cat", "?max=1"])}");
        if (random.OneIn(4))
        {
            request.Headers.Add(("Last-Event-ID", OddTexts.Header(random)));
        }

        return new FuzzRequest("reading", request.ToBytes());
    }

    private static FuzzRequest Framing(Random random)
    {
        var request = PictureForms.Make(random, PictureMutations.Seed(random));
        if (random.OneIn(2))
        {
            request.NextChunk = () => random.Next(1, 20_000);
        }

        var bytes = request.ToBytes();
        var head = bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        switch (random.Next(6))
        {
            case 0:
                // Ends within the headers or the body.
                bytes = bytes[..random.Next(random.OneIn(3) ? 1 : head, bytes.Length)];
                break;
            case 1:
                bytes = [.. PictureMutations.Mutate(random, bytes[..head]), .. bytes[head..]];
                break;
            case 2:
                var more = Math.Min(bytes.Length - head, 40);
                bytes = [.. bytes[..head], .. PictureMutations.Mutate(random, bytes[head..(head + more)]), .. bytes[(head + more)..]];
                break;
            case 3:
                request.Body = null;
                request.Headers.Add(random.Of<(string, string)>([("Transfer-Encoding", "chunked"), ("Content-Length", "100"), ("Content-Length", "99999999999")]));
                bytes = [.. request.ToBytes(), .. Latin(random.Of<string>(
                [
                    "", "zz\r\n", "-1\r\n", "FFFFFFFFFFFFFFFF\r\nx", "0x10\r\n", "5\nhello\n0\n\n", "5\r\nhelloworld\r\n0\r\n\r\n", $"5;{new string('e', 20_000)}\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
                    "0\r\nTrailer: x\r\n\r\n", "0\r\nbad trailer\r\n\r\n", "5\r\nhel", "\r\n", "1\r\n", "7FFFFFFF\r\nx",
                ]))];
                break;
            case 4:
                bytes = [.. Latin(random.Of<string>(
                [
                    "GET /\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
                    "GET / HTTP/1.1\nHost: x\n\n", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET http://other/v1/models HTTP/1.1\r\nHost: x\r\n\r\n", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
                    "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "\0\0\0\0", "*1\r\n$8\r\nFLUSHALL\r\n", $"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: x\r\n\r\n",
                    $"{new string('M', 20_000)} / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n folded: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nNo-Colon\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
                    "POST /v1/detections HTTP/1.1\r\nHost: x\r\n\r\n", "POST /v1/detections HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n",
                ]))];
                break;
            default:
                bytes = new byte[random.Next(1, 5000)];
                random.NextBytes(bytes);
                break;
        }

        return new FuzzRequest("framing", bytes) { MayBreakHttp = true, Ending = random.OneIn(3) ? Ending.Leaves : Ending.HalfCloses };
    }

    private static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);

    // Not System.HashCode, which differs between processes.
    private static int HashCode(int seed, int number)
    {
        Span<byte> both = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(both, seed);
        BinaryPrimitives.WriteInt32LittleEndian(both[4..], number);
        return (int)System.IO.Hashing.Crc32.HashToUInt32(both);
    }
}
