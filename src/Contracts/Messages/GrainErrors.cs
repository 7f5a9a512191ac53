using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Detection.Contracts.Messages;

/// <summary>Errors that grains return to their callers.</summary>
public static class GrainErrors
{
    /// <summary>
    /// Lets Orleans serialize exceptions of the Redis library. Orleans sends only exceptions of allowed namespaces; for any other one the caller gets
    /// a serialization error, which looks like a defect. Use it on silos and clients.
    /// </summary>
    /// <param name="services">The services of a silo or of an Orleans client.</param>
    public static IServiceCollection AddGrainErrors(this IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(static options => options.SupportedNamespacePrefixes.Add("StackExchange.Redis"));
}
