using System.ComponentModel.DataAnnotations;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Hosting;

/// <summary>Reads how this process decodes pictures.</summary>
public static class DecodingConfiguration
{
    /// <summary>Applies <see cref="DecodingOptions"/> to the process.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong; the message says which.</exception>
    public static void ApplyDecodingOptions(this IConfiguration configuration)
    {
        var options = configuration.GetSection(DecodingOptions.Section).Get<DecodingOptions>() ?? new DecodingOptions();
        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true))
        {
            throw new OptionsValidationException(DecodingOptions.Section, typeof(DecodingOptions), faults.Select(fault => fault.ErrorMessage!));
        }

        options.Apply();
    }
}
