using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Detection.Grains.Fetching;

namespace Detection.Fetching.Tests;

/// <summary>A name server in memory: each name has a list of answers, given one after another; the last one is repeated.</summary>
internal sealed class Names : IHostResolver
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<IPAddress[]>> _answers = new();

    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>While set, no answer is given.</summary>
    public bool Hangs { get; set; }

    public Names Add(string name, params string[] addresses)
    {
        _answers.GetOrAdd(name, _ => new()).Enqueue([.. addresses.Select(IPAddress.Parse)]);
        return this;
    }

    public async Task<IPAddress[]> ResolveAsync(string host, string? caller, CancellationToken cancellationToken)
    {
        Asked.Enqueue(host);
        if (Hangs)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        if (!_answers.TryGetValue(host, out var answers))
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        answers.TryPeek(out var answer);
        if (answers.Count > 1)
        {
            answers.TryDequeue(out answer);
        }

        return [.. answer!];
    }
}
