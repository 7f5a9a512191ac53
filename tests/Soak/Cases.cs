using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Detection.Testing;

namespace Detection.Soak;

/// <summary>Requests of every kind, valid and not, generated from a seed.</summary>
internal sealed class Cases
{
    private const int Photos = 24;
    private const int LargestPhoto = 1024 * 1024;
    private const int Mutations = 60;
    private const string Timeout = "timeout=60";

    private static readonly TimeSpan WebhookPatience = TimeSpan.FromMinutes(2);

    private readonly string _secret;
    private readonly List<byte[]> _photos;
    private readonly List<(string Name, byte[] Bytes)> _bad;

    /// <param name="seed">Seed of the faults of pictures.</param>
    /// <param name="models">The models that stay, besides the default one.</param>
    /// <param name="secret">The secret that signs webhooks.</param>
    public Cases(int seed, IReadOnlyList<string> models, string secret)
    {
        _secret = secret;
        _photos = [.. TestPictures.Paths.Where(static path => new FileInfo(path).Length <= LargestPhoto).Take(Photos).Select(File.ReadAllBytes)];
        var random = new Random(seed);
        _bad =
        [
            .. Poison(),
            .. Enumerable.Range(0, Mutations).Select(i => ($"mutation {i} of seed {seed}", PictureMutations.Make(random))),
        ];
        Pictures = [.. _photos, .. _bad.Select(static bad => bad.Bytes)];
        All = [.. Raw(), .. Forms(), .. Views(), .. Queries(), .. Urls(), .. Asynchronous(), .. Batches(random), .. Protocols(), .. Models(models), Coming(), Cancelled()];
    }

    /// <summary>All pictures, by their numbers at the host.</summary>
    public IReadOnlyList<byte[]> Pictures { get; }

    /// <summary>All requests.</summary>
    public IReadOnlyList<Case> All { get; }

    private static IEnumerable<(string, byte[])> Poison()
    {
        var folder = SharedFiles.Find("cases/pictures");
        var shared = folder is null ? Enumerable.Empty<string>() : Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal);
        var edge = Path.Combine(Repository.Root, "tests", "pictures", "edge");
        var own = Directory.Exists(edge) ? Directory.EnumerateFiles(edge).Order(StringComparer.Ordinal) : Enumerable.Empty<string>();
        return shared.Concat(own)
            .Select(static path => (Path.GetFileName(path), File.ReadAllBytes(path)))
            .Append(("a JPEG of 7000 x 7000 with 90 scans", BlankPictures.Jpeg(7000, 7000, scans: 90)))
            .Append(("a PNG of 30000 x 30000", BlankPictures.Png(30_000, 30_000, 0)))
            .Append(("nothing", []));
    }

    private IEnumerable<Case> Raw()
    {
        for (var i = 0; i < _photos.Count; i++)
        {
            var picture = _photos[i];
            yield return new Case($"photo {i}", Post($"/v1/detections?{Timeout}", number => Bytes(UniquePicture.Of(picture, number)))) { Weight = 8 };
        }

        yield return new Case("photo 0 again and again", Post($"/v1/detections?{Timeout}", _ => Bytes(_photos[0]))) { Weight = 20 };
        foreach (var (name, bytes) in _bad)
        {
            yield return new Case($"bad picture: {name}", Post($"/v1/detections?{Timeout}", _ => Bytes(bytes))) { Weight = 3 };
        }
    }

    private IEnumerable<Case> Forms()
    {
        for (var i = 0; i < _photos.Count; i += 5)
        {
            var picture = _photos[i];
            yield return new Case($"form with photo {i}", Post($"/v1/detections?{Timeout}", number => Form(UniquePicture.Of(picture, number)))) { Weight = 3 };
            yield return new Case($"base64 of photo {i}", Post($"/v1/detections?{Timeout}", number => Json($$"""{"image":"{{Convert.ToBase64String(UniquePicture.Of(picture, number))}}"}"""))) { Weight = 3 };
        }
    }

    private IEnumerable<Case> Views()
    {
        foreach (var query in (string[])["threshold=0.1", "threshold=0.9", "labels=person,dog", "max=1", "iou=0.3", "threshold=0.2&labels=cat&max=3", "model=nanodet-g"])
        {
            for (var i = 1; i < _photos.Count; i += 8)
            {
                var picture = _photos[i];
                yield return new Case($"photo {i} with {query}", Post($"/v1/detections?{Timeout}&{query}", number => Bytes(UniquePicture.Of(picture, number)))) { Weight = 2 };
            }
        }

        for (var i = 2; i < _photos.Count; i += 7)
        {
            var picture = _photos[i];
            yield return new Case($"annotated photo {i}", Post($"/v1/detections?{Timeout}", number => Bytes(UniquePicture.Of(picture, number)), accept: "image/jpeg")) { Weight = 3 };
        }
    }

    private IEnumerable<Case> Queries()
    {
        foreach (var query in (string[])["threshold=2", "threshold=0,1", "threshold=x", "timeout=0", "timeout=9999", "max=-1", "iou=7", "model=nobody", "model=nanodet-g@000000000000", "labels=", "async=maybe", "webhook=x", "async=true&webhook=ftp://x/", "async=true&webhook=http://169.254.169.254/"])
        {
            yield return new Case($"bad query {query}", Post($"/v1/detections?{query}", _ => Bytes(_photos[0])));
        }

        foreach (var path in (string[])["/v1/detections/abc", $"/v1/detections/{new string('0', 64)}", $"/v1/detections/{new string('0', 64)}/image", "/v1/nothing", "/v1/models/nobody", "/problems/undecodable"])
        {
            yield return new Case($"GET {path}", (sender, _, cancellation) => sender.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, path), cancellation));
        }

        foreach (var (name, json) in ((string, string)[])[("nothing", ""), ("no object", "[1]"), ("half", "{\"image\":\""), ("no base64", "{\"image\":\"%%%\"}"), ("both", "{\"image\":\"AAAA\",\"url\":\"http://x/\"}"), ("deep", new string('[', 2000))])
        {
            yield return new Case($"bad JSON: {name}", Post($"/v1/detections?{Timeout}", _ => Json(json)));
        }
    }

    private IEnumerable<Case> Urls()
    {
        for (var i = 0; i < Pictures.Count; i += i < _photos.Count ? 4 : 9)
        {
            var picture = i;
            yield return new Case($"URL of picture {i}", Post($"/v1/detections?{Timeout}", (host, number) => Url(host, $"picture/{picture}/{(picture < _photos.Count ? number : 0)}"))) { Weight = 3 };
        }

        foreach (var path in (string[])["missing", "loop", "inside", "text", "short", "empty"])
        {
            yield return new Case($"URL that leads to {path}", Post($"/v1/detections?{Timeout}", (host, _) => Url(host, path)));
        }

        yield return new Case("URL that is slow", Post($"/v1/detections?{Timeout}", static (host, _) => Url(host, "slow")));
        foreach (var url in (string[])["http://10.1.2.3/x.jpg", "ftp://example.org/x.jpg", "http://127.0.0.1:22/", "nonsense", "http://user:secret@127.0.0.1/"])
        {
            yield return new Case($"URL {url}", Post($"/v1/detections?{Timeout}", _ => Json($$"""{"url":"{{url}}"}""")));
        }
    }

    private IEnumerable<Case> Asynchronous()
    {
        (string Name, byte[] Bytes)[] pictures = [.. _photos.Select(static (photo, i) => ($"photo {i}", photo)).Where(static (_, i) => i % 4 == 1), .. _bad.Where(static (_, i) => i % 10 == 0)];
        foreach (var (name, bytes) in pictures)
        {
            var isGood = name.StartsWith("photo", StringComparison.Ordinal);
            byte[] Unique(int number) => isGood ? UniquePicture.Of(bytes, number) : bytes;
            yield return new Case($"asynchronously: {name}", (sender, number, cancellation) => SubmitAsync(sender, Unique(number), cancellation)) { Weight = 3 };
            yield return new Case($"with a webhook: {name}", (sender, number, cancellation) => WithWebhookAsync(sender, Unique(number), cancellation)) { Weight = 3 };
        }
    }

    private IEnumerable<Case> Batches(Random random)
    {
        for (var i = 0; i < 8; i++)
        {
            byte[][] pictures = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => random.OneIn(3) ? random.Of(_bad).Bytes : random.Of(_photos))];
            yield return new Case($"batch {i}", async (sender, number, cancellation) =>
            {
                var reading = await sender.SendAsync(() => Request($"/v1/detections/batch?{Timeout}", Form(pictures, number), null), cancellation);

                // A line may say that the server is busy; then the whole batch is sent again.
                return IsBusy(reading) ? reading with { Status = 503 } : reading;
            })
            {
                Weight = 3,
            };
        }
    }

    private IEnumerable<Case> Protocols()
    {
        for (var i = 3; i < _photos.Count; i += 7)
        {
            var picture = _photos[i];
            yield return new Case($"Open Inference: photo {i}", Post("/v2/models/nanodet-g/infer", number => Json(Infer(UniquePicture.Of(picture, number))))) { Weight = 3 };
            yield return new Case($"DeepStack: photo {i}", Post("/v1/vision/detection", number => Form(UniquePicture.Of(picture, number)))) { Weight = 3 };
            yield return new Case($"replaced system: photo {i}", Post("/detect/imageDetect", number => Field("imageBase64Code", Convert.ToBase64String(UniquePicture.Of(picture, number)))));
        }

        for (var i = 0; i < _bad.Count; i += 15)
        {
            var (name, bytes) = _bad[i];
            yield return new Case($"Open Inference: {name}", Post("/v2/models/nanodet-g/infer", _ => Json(Infer(bytes))));
            yield return new Case($"DeepStack: {name}", Post("/v1/vision/detection", _ => Form(bytes)));
        }

        yield return new Case("Open Inference: no inputs", Post("/v2/models/nanodet-g/infer", static _ => Json("{}")));
        yield return new Case("Open Inference: nobody's model", Post("/v2/models/nobody/infer", _ => Json(Infer(_photos[0]))));
        yield return new Case("DeepStack: no picture", Post("/v1/vision/detection", static _ => Field("min_confidence", "0.4")));
    }

    private static IEnumerable<Case> Models(IReadOnlyList<string> models)
    {
        foreach (var model in models)
        {
            for (var i = 0; i < 4; i++)
            {
                var picture = QuadrantPictures.Lit(i);
                yield return new Case($"model {model}: {i} quadrants lit", Post($"/v1/detections?{Timeout}&model={model}", number => Bytes(UniquePicture.Of(picture, number)))) { Weight = 3 };
            }
        }
    }

    /// <summary>A model that is added and removed: it answers like the model that it is a copy of, or it is not found.</summary>
    private Case Coming() => new($"model {ModelTraffic.Coming} while it comes and goes", Post($"/v1/detections?{Timeout}&threshold=0.4&model={ModelTraffic.Coming}", number => Bytes(UniquePicture.Of(_photos[0], number))))
    {
        Weight = 15,
        IsAlsoRight = static (found, alone) => found.Without("model") == alone.Without("model")
            || (found.Status == 404 && found.Content.Contains("model-not-found", StringComparison.Ordinal)),
    };

    private Case Cancelled() => new("a caller that leaves", async (sender, number, cancellation) =>
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromMilliseconds(1 + (number % 97 * 3)));
        try
        {
            var picture = Pictures[number % Pictures.Count];
            await sender.SendAsync(() => new HttpRequestMessage(HttpMethod.Post, $"/v1/detections?{Timeout}") { Content = Bytes(UniquePicture.Of(picture, number % 2 * number)) }, patience.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException && patience.IsCancellationRequested)
        {
        }

        return new Reading(0, "", "");
    })
    {
        Weight = 20,
    };

    private static async Task<Reading> SubmitAsync(Sender sender, byte[] picture, CancellationToken cancellation)
    {
        var reading = await sender.SendAsync(() => new HttpRequestMessage(HttpMethod.Post, $"/v1/detections?async=true&{Timeout}") { Content = Bytes(picture) }, cancellation);
        while (reading.Status == 202)
        {
            reading = await sender.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, $"/v1/detections/{TestPictures.ImageKey(picture)}?wait=20"), cancellation);
        }

        return reading;
    }

    private async Task<Reading> WithWebhookAsync(Sender sender, byte[] picture, CancellationToken cancellation)
    {
        var (url, received) = sender.Host.ExpectWebhook();
        try
        {
            var reading = await sender.SendAsync(
                () => new HttpRequestMessage(HttpMethod.Post, $"/v1/detections?async=true&{Timeout}&webhook={Uri.EscapeDataString(url.ToString())}") { Content = Bytes(picture) }, cancellation);
            if (reading.Status is not 202)
            {
                // A cached result, or a request that joined another one.
                return reading;
            }

            var webhook = await received.WaitAsync(WebhookPatience, cancellation);
            var status = JsonNode.Parse(webhook.Body)!["status"]?.GetValue<int>() ?? 200;
            return new Reading(
                webhook.IsSignedWith(_secret) ? status : 0, webhook.ContentType ?? "", Reading.Normalize(webhook.ContentType ?? "", webhook.Body));
        }
        catch (TimeoutException)
        {
            return new Reading(0, "", $"no webhook within {WebhookPatience.TotalSeconds:F0} s");
        }
        finally
        {
            sender.Host.Forget(url);
        }
    }

    private static Func<Sender, int, CancellationToken, Task<Reading>> Post(string path, Func<int, HttpContent> content, string? accept = null) =>
        (sender, number, cancellation) => sender.SendAsync(() => Request(path, content(number), accept), cancellation);

    private static Func<Sender, int, CancellationToken, Task<Reading>> Post(string path, Func<Uri, int, HttpContent> content) =>
        (sender, number, cancellation) => sender.SendAsync(() => Request(path, content(sender.Host.Url, number), null), cancellation);

    private static HttpRequestMessage Request(string path, HttpContent content, string? accept)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (accept is not null)
        {
            request.Headers.Accept.ParseAdd(accept);
        }

        return request;
    }

    private static bool IsBusy(Reading reading) =>
        reading.Content.Contains("\"status\":503", StringComparison.Ordinal) || reading.Content.Contains("\"status\":429", StringComparison.Ordinal);

    private static ByteArrayContent Bytes(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    private static StringContent Url(Uri host, string path) => Json($$"""{"url":"{{new Uri(host, path)}}"}""");

    private static MultipartFormDataContent Form(byte[] picture) => new() { { Bytes(picture), "image", "picture.jpg" } };

    private MultipartFormDataContent Form(byte[][] pictures, int number)
    {
        var form = new MultipartFormDataContent();
        for (var i = 0; i < pictures.Length; i++)
        {
            form.Add(Bytes(_photos.Contains(pictures[i]) ? UniquePicture.Of(pictures[i], number) : pictures[i]), "image", $"{i}.jpg");
        }

        return form;
    }

    private static FormUrlEncodedContent Field(string name, string value) => new([new KeyValuePair<string, string>(name, value)]);

    private static string Infer(byte[] picture) => string.Create(
        CultureInfo.InvariantCulture,
        $$$"""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["{{{Convert.ToBase64String(picture)}}}"]}],"parameters":{"timeout":60000000}}""");
}
