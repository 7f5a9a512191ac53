using System.Globalization;
using System.Net;
using Detection.Client;

namespace Detection.Cluster.Tests;

/// <summary>Silos that are lost while they fetch the picture of a URL, for which a caller waits.</summary>
public sealed class LostFetchTests : IAsyncLifetime
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    private static int _next;

    private readonly Lock _gate = new();
    private readonly List<string> _held = [];
    private readonly LoopbackServer _site;
    private bool _holds;
    private DetectionCluster _cluster = null!;

    public LostFetchTests() => _site = new LoopbackServer(AnswerAsync);

    public async ValueTask InitializeAsync()
    {
        _cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0, settings: new Dictionary<string, string?>
        {
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = _site.Url.Port.ToString(CultureInfo.InvariantCulture),
        });
        _cluster.AddSilo(new Dictionary<string, string?> { ["Detection__Fetch__UserAgent"] = "0" });
        _cluster.AddSilo(new Dictionary<string, string?> { ["Detection__Fetch__UserAgent"] = "1" });
        await _cluster.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _site.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Picture_is_fetched_by_another_silo_when_the_first_is_killed_or_suspended(bool killed)
    {
        await using var client = new TestClient(_cluster.Redis);
        await client.Detection.DetectAsync(Url(), Patient);
        Hold(true);
        var call = client.Detection.DetectAsync(Url(), Patient);
        await Eventually.Async(() => Held().Count > 0, Eventually.Soon, "a silo fetches the picture");
        Hold(false);
        var silo = _cluster.Silos[int.Parse(Held()[0], CultureInfo.InvariantCulture)];

        if (killed)
        {
            await silo.KillAsync();
        }
        else
        {
            silo.Pause();
        }

        Assert.NotNull(await call);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.Detection.DetectAsync(Url(), Patient))), Assert.NotNull);
    }

    private Uri Url() => new(_site.Url, Interlocked.Increment(ref _next).ToString(CultureInfo.InvariantCulture));

    private void Hold(bool holds)
    {
        lock (_gate)
        {
            _holds = holds;
        }
    }

    private List<string> Held()
    {
        lock (_gate)
        {
            return [.. _held];
        }
    }

    private Task AnswerAsync(HttpListenerContext context)
    {
        lock (_gate)
        {
            if (_holds)
            {
                _held.Add(context.Request.UserAgent!);
                return Task.CompletedTask;
            }
        }

        context.Response.ContentType = "image/jpeg";
        context.Response.Close(TestPictures.Unique(int.Parse(context.Request.Url!.AbsolutePath[1..], CultureInfo.InvariantCulture)), willBlock: false);
        return Task.CompletedTask;
    }
}
