using Detection.Contracts.Settings;
using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Detection.Grains.Requests;

/// <summary>Registers the requests of a silo.</summary>
public static class RequestsExtensions
{
    /// <summary>Adds the grains of requests and the storage of their state.</summary>
    /// <param name="orleans">The silo.</param>
    /// <param name="redis">Options of the connection to Redis.</param>
    /// <param name="keys">Keys of the cluster.</param>
    public static ISiloBuilder AddRequests(this ISiloBuilder orleans, ConfigurationOptions redis, RedisKeys keys)
    {
        ArgumentNullException.ThrowIfNull(orleans);
        orleans.Services.AddValidatedOptions<RequestOptions>(RequestOptions.Section);
        orleans.Services.AddSingleton<Admission>();
        orleans.Services.AddSingleton<RequestStores>();
        return orleans
            .AddRedisGrainStorage(RequestGrain.Storage, options => options.Configure<IOptions<RequestOptions>, IConnectionMultiplexer>((storage, requests, shared) =>
            {
                storage.ConfigurationOptions = redis;
                storage.CreateMultiplexer = _ => Task.FromResult((shared, IsShared: true));
                storage.GetStorageKey = (_, grain) => keys.State(grain.Key.ToString()!);

                // Whole seconds, and well above the lifetime of a grain: a write after the expiry would fail.
                storage.EntryExpiry = TimeSpan.FromSeconds(Math.Ceiling((requests.Value.FailureExpiry + (2 * requests.Value.IdleAge)).TotalSeconds));
            }))
            .ConfigureServices(static services => services.AddOptions<GrainCollectionOptions>().Configure<IOptions<RequestOptions>>(static (collection, requests) =>
            {
                collection.CollectionQuantum = TimeSpan.FromSeconds(5);
                collection.ClassSpecificCollectionAge[typeof(RequestGrain).FullName!] = requests.Value.IdleAge;
            }));
    }

    /// <summary>
    /// Adds the hosted service that ends requests for models without a device. Call it after Orleans was added, so that it stops before Orleans.
    /// </summary>
    public static IServiceCollection AddAbandonedQueues(this IServiceCollection services) => services.AddHostedService<AbandonedQueues>();
}
