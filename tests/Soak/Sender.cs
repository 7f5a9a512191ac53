namespace Detection.Soak;

/// <summary>One caller: its front end and its key.</summary>
/// <param name="http">A client of the front end.</param>
/// <param name="key">Its API key; <see langword="null"/> for none.</param>
/// <param name="host">The host of pictures and webhooks.</param>
internal sealed class Sender(HttpClient http, string? key, SoakHost host)
{
    private static readonly TimeSpan RefusalPatience = TimeSpan.FromMinutes(3);

    /// <summary>The host of pictures and webhooks.</summary>
    public SoakHost Host => host;

    /// <summary>Number of requests that were refused and sent again.</summary>
    public int Refusals { get; private set; }

    /// <summary>Sends a request.</summary>
    /// <param name="request">Creates it for each attempt.</param>
    /// <param name="cancellation">Cancels it.</param>
    /// <exception cref="HttpRequestException">The connection failed.</exception>
    public async Task<Reading> SendAsync(Func<HttpRequestMessage> request, CancellationToken cancellation)
    {
        using var message = request();
        if (key is not null)
        {
            message.Headers.Add("X-API-Key", key);
        }

        using var answer = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation);
        return await Reading.OfAsync(answer, cancellation);
    }

    /// <summary>Repeats the request while the server answers that it is busy and names a time for the retry.</summary>
    public async Task<Reading> InsistAsync(Func<Task<Reading>> ask)
    {
        var end = DateTime.UtcNow + RefusalPatience;
        for (var pause = TimeSpan.FromMilliseconds(100); ; pause *= 2)
        {
            var reading = await ask();
            if (!reading.IsRefusal || DateTime.UtcNow > end)
            {
                return reading;
            }

            Refusals++;
            await Task.Delay(pause < TimeSpan.FromSeconds(5) ? pause : TimeSpan.FromSeconds(5));
        }
    }
}
