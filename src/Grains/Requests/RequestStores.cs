using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Detection.Grains.Requests;

/// <summary>The stores of requests in Redis.</summary>
internal sealed class RequestStores(
    [FromKeyedServices(RequestGrain.Storage)] IGrainStorage state, RequestQueue queue, ResultStore results, PictureStore pictures)
{
    public IGrainStorage State => state;

    public RequestQueue Queue => queue;

    public ResultStore Results => results;

    public PictureStore Pictures => pictures;
}
