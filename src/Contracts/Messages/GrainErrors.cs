using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Detection.Contracts.Messages;

/// <summary>The errors that grains send to their callers.</summary>
public static class GrainErrors
{
    /// <summary>
    /// Lets an error of Redis travel as what it is. Orleans sends only those of namespaces that it is told of: any other is an answer that
    /// cannot be sent, which the caller cannot tell from a defect. Needed on silos and clients.
    /// </summary>
    /// <param name="services">The services of a silo or of an Orleans client.</param>
    public static IServiceCollection AddGrainErrors(this IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(static options => options.SupportedNamespacePrefixes.Add("StackExchange.Redis"));
}
