using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Settings;

/// <summary>Reads settings in one way: bound from their section and checked by their annotations before the process serves anything.</summary>
public static class OptionsExtensions
{
    /// <summary>Registers options that are bound from a section and checked at the start, also by each <see cref="IValidateOptions{TOptions}"/>.</summary>
    public static OptionsBuilder<T> AddValidatedOptions<T>(this IServiceCollection services, string section)
        where T : class =>
        services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();

    /// <summary>Reads options that are needed before there is a container.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong; the message says which.</exception>
    public static T ReadValidated<T>(this IConfiguration configuration, string section)
        where T : class, new()
    {
        var options = configuration.GetSection(section).Get<T>() ?? new T();
        var faults = new List<ValidationResult>();
        return Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true)
            ? options
            : throw new OptionsValidationException(section, typeof(T), faults.Select(static fault => fault.ErrorMessage!));
    }
}
