using Detection.Contracts.Settings;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Hosting;

/// <summary>Configures how this process decodes pictures.</summary>
public static class DecodingConfiguration
{
    /// <summary>Applies <see cref="DecodingOptions"/> to the process.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong; the message says which.</exception>
    public static void ApplyDecodingOptions(this IConfiguration configuration) =>
        configuration.ReadValidated<DecodingOptions>(DecodingOptions.Section).Apply();
}
