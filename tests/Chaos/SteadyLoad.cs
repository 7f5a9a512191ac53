using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Detection.Testing;

namespace Detection.Chaos;

/// <summary>The result of one request.</summary>
/// <param name="Number">Number of the picture, in the order of sending.</param>
/// <param name="ImageKey">The picture.</param>
/// <param name="Status">HTTP status; 0 when the connection failed.</param>
/// <param name="Latency">Time from sending to the end of the answer.</param>
/// <param name="Detail">Start of an answer that is not 200.</param>
/// <param name="HasBoxes">Whether the answer has boxes.</param>
internal sealed record Ending(int Number, string ImageKey, int Status, TimeSpan Latency, string Detail, bool HasBoxes);

/// <summary>
/// Sends unique pictures at a steady rate, each once, without waiting for other answers. Every request has a result.
/// </summary>
/// <param name="frontends">The front ends, used in turn.</param>
/// <param name="firstPicture">Number of the first picture.</param>
/// <param name="bytes">Minimum size of each picture, in bytes.</param>
/// <param name="halfAsynchronous">Whether every other request is asynchronous.</param>
internal sealed class SteadyLoad(IReadOnlyList<DetectionProcess> frontends, int firstPicture, int bytes, bool halfAsynchronous)
{
    private readonly ConcurrentBag<Task<Ending>> _posts = [];
    private int _next = firstPicture;

    /// <summary>Number of the next picture.</summary>
    public int NextPicture => _next;

    /// <summary>Sends <paramref name="rate"/> pictures per second for <paramref name="duration"/>.</summary>
    public async Task RunAsync(double rate, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        for (var sent = 0; clock.Elapsed < duration; sent++)
        {
            Post();
            var due = TimeSpan.FromSeconds((sent + 1) / rate) - clock.Elapsed;
            if (due > TimeSpan.Zero)
            {
                await Task.Delay(due);
            }
        }
    }

    /// <summary>Sends many pictures at once, so that batches are full when the failure happens.</summary>
    public void Burst(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Post();
        }
    }

    /// <summary>Waits for every answer.</summary>
    public async Task<IReadOnlyList<Ending>> FinishAsync() => await Task.WhenAll(_posts);

    /// <summary>Of these results the answers without boxes to pictures that have some. Each picture is sent once more, with other bytes and the same pixels.</summary>
    public async Task<IReadOnlyList<Ending>> BlindAsync(IEnumerable<Ending> endings)
    {
        var blind = new List<Ending>();
        foreach (var ending in endings.Where(static ending => ending is { Status: 200, HasBoxes: false }))
        {
            var again = await PostAsync(frontends[0], ending.Number + (100_000 * TestPictures.PhotoCount), bytes, asynchronous: false);
            if (again.HasBoxes)
            {
                blind.Add(ending);
            }
        }

        return blind;
    }

    private void Post()
    {
        var number = Interlocked.Increment(ref _next) - 1;
        _posts.Add(Task.Run(() => PostAsync(frontends[number % frontends.Count], number, bytes, halfAsynchronous && number % 2 == 1)));
    }

    private static async Task<Ending> PostAsync(DetectionProcess frontend, int number, int bytes, bool asynchronous)
    {
        var picture = TestPictures.Unique(number, bytes);
        var key = TestPictures.ImageKey(picture);
        var clock = Stopwatch.StartNew();
        try
        {
            using var content = new ByteArrayContent(picture);
            content.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
            using var first = await frontend.Http.PostAsync(
                new Uri(asynchronous ? "/v1/detections?timeout=60&async=true" : "/v1/detections?timeout=60", UriKind.Relative), content);
            using var answer = first.StatusCode == HttpStatusCode.Accepted ? await EndAsync(frontend, first.Headers.Location!) : first;
            var body = await answer.Content.ReadAsStringAsync();
            var detail = answer.StatusCode == HttpStatusCode.OK ? "" : body[..Math.Min(200, body.Length)];
            return new Ending(number, key, (int)answer.StatusCode, clock.Elapsed, detail, body.Contains("\"boxes\":[{", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return new Ending(number, key, 0, clock.Elapsed, e.Message, false);
        }
    }

    /// <summary>Reads an accepted request until it ends, or until long after its deadline.</summary>
    private static async Task<HttpResponseMessage> EndAsync(DetectionProcess frontend, Uri location)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var answer = await frontend.Http.GetAsync(new Uri($"{location.OriginalString}{(location.OriginalString.Contains('?', StringComparison.Ordinal) ? '&' : '?')}wait=5", UriKind.Relative));
            if (answer.StatusCode is not (HttpStatusCode.Accepted or HttpStatusCode.ServiceUnavailable))
            {
                return answer;
            }

            answer.Dispose();
            if (clock.Elapsed > TimeSpan.FromSeconds(80))
            {
                throw new HttpRequestException("An accepted request came to no end.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
    }
}
