using Detection.Grains.Fetching;
using Detection.Inference.Pulling;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Pulling;

/// <summary>
/// The way of a silo to servers of models: through an egress guard of its own, which also lets in what the settings of pulling allow, so that a store of
/// models in a private network is not open to addresses of pictures.
/// </summary>
internal sealed class GuardedSources : DelegatingHandler
{
    public GuardedSources(IOptions<FetchOptions> fetch, IOptions<PullOptions> pull, IHostResolver resolver, TimeProvider time)
    {
        var guard = new EgressGuard(Options.Create(Merge(fetch.Value, pull.Value)), resolver, time);
        InnerHandler = new GuardedHttp(guard, fetch, time);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (Exception e) when (EgressRefusedException.In(e) is { } refusal)
        {
            throw new PullException($"The egress guard refuses {request.RequestUri!.IdnHost}: {refusal.Message} {PullOptions.Section}:{nameof(PullOptions.AllowedHosts)}, {nameof(PullOptions.AllowedNetworks)} and {nameof(PullOptions.AllowedPorts)} allow more.", e);
        }
        catch (Exception e) when (e is TimeoutException or System.Net.Sockets.SocketException)
        {
            throw new PullException($"{request.RequestUri!.IdnHost} cannot be reached: {e.Message}", e) { MayPass = true };
        }
    }

    private static FetchOptions Merge(FetchOptions fetch, PullOptions pull)
    {
        var merged = new FetchOptions { AllowInternet = fetch.AllowInternet, ResolveTimeout = fetch.ResolveTimeout, Timeout = fetch.Timeout };
        Add(merged.AllowedHosts, fetch.AllowedHosts, pull.AllowedHosts);
        Add(merged.AllowedNetworks, fetch.AllowedNetworks, pull.AllowedNetworks);
        Add(merged.AllowedPorts, fetch.AllowedPorts, pull.AllowedPorts);
        Add(merged.DeniedHosts, fetch.DeniedHosts, []);
        Add(merged.DeniedNetworks, fetch.DeniedNetworks, []);
        return merged;
    }

    private static void Add<T>(IList<T> target, IEnumerable<T> one, IEnumerable<T> other)
    {
        foreach (var item in one.Concat(other))
        {
            target.Add(item);
        }
    }
}
