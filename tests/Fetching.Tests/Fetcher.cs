using Detection.Contracts.Fetching;
using Detection.Contracts.Storage;
using Detection.Grains.Fetching;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Detection.Fetching.Tests;

/// <summary>A <see cref="PictureFetcher"/> as in a silo, with settings from configuration and names from <see cref="Tests.Names"/>.</summary>
internal sealed class Fetcher : IAsyncDisposable
{
    /// <summary>Longer than any fetch of a test without a time limit of its own.</summary>
    public static readonly TimeSpan Ample = TimeSpan.FromSeconds(30);

    private readonly ServiceProvider _services;

    public Fetcher(IConnectionMultiplexer redis, IHostResolver? names = null, params (string Key, string Value)[] settings)
    {
        Dictionary<string, string?> values = new() { ["Detection:Fetch:Timeout"] = "00:00:30" };
        foreach (var (key, value) in settings)
        {
            values[key.StartsWith("Detection:", StringComparison.Ordinal) ? key : $"{FetchOptions.Section}:{key}"] = value;
        }

        var services = new ServiceCollection().AddLogging().AddSingleton(redis).AddSingleton(new RedisKeys())
            .AddSingleton(_ => new RedisConnections(redis.Configuration));
        if (names is not null)
        {
            services.AddSingleton(names);
        }

        services.AddPictureFetching(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        _services = services.BuildServiceProvider(validateScopes: true);
    }

    public EgressGuard Guard => _services.GetRequiredService<EgressGuard>();

    public PictureOptions Pictures => _services.GetRequiredService<Microsoft.Extensions.Options.IOptions<PictureOptions>>().Value;

    public Task<FetchOutcome> FetchAsync(string url, TimeSpan? budget = null, string? caller = null, CancellationToken cancellationToken = default) =>
        _services.GetRequiredService<PictureFetcher>()
            .FetchAsync(new Uri(url, UriKind.RelativeOrAbsolute), budget ?? Ample, caller, cancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
