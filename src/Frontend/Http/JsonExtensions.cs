using System.Text.Json.Serialization;

namespace Detection.Frontend.Http;

internal static class JsonExtensions
{
    /// <summary>Registers the JSON of a feature with the framework, so that the OpenAPI document describes its types as they are written.</summary>
    /// <param name="services">The front end's services.</param>
    /// <param name="context">The feature's JSON. All contexts have the same settings; each has the converters of its own enums.</param>
    public static void AddJson(this IServiceCollection services, JsonSerializerContext context) =>
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, context);
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
}
