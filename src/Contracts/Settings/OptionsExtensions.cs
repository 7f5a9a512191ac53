using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Settings;

/// <summary>The one way to read settings: bound from their section, and checked by their annotations before the process serves requests.</summary>
public static class OptionsExtensions
{
    /// <summary>Registers options that are read from a section and checked at the start, also by each <see cref="IValidateOptions{TOptions}"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">Name of the section.</param>
    /// <param name="configuration">The root; <see langword="null"/> for that of the container.</param>
    public static OptionsBuilder<T> AddValidatedOptions<T>(this IServiceCollection services, string section, IConfiguration? configuration = null)
        where T : class
    {
        services.TryAddSingleton(new OptionsSection<T>(section, configuration));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<T>, SectionOptions<T>>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<T>, SectionOptions<T>>());
        return services.AddOptions<T>().ValidateOnStart();
    }

    /// <summary>Reads options that are needed before there is a container.</summary>
    /// <param name="configuration">The root.</param>
    /// <param name="section">Name of the section.</param>
    /// <param name="rules">What is checked besides the annotations.</param>
    /// <exception cref="OptionsValidationException">A setting is wrong; the message says which.</exception>
    public static T ReadValidated<T>(this IConfiguration configuration, string section, params IValidateOptions<T>[] rules)
        where T : class, new()
    {
        var options = configuration.Read<T>(section);
        var faults = SettingRules.FindFaults(section, options)
            .Concat(rules.SelectMany(rule => rule.Validate(null, options).Failures ?? []))
            .ToList();
        return faults.Count == 0 ? options : throw new OptionsValidationException(section, typeof(T), faults);
    }

    /// <summary>Reads options whose rules are checked elsewhere.</summary>
    /// <exception cref="OptionsValidationException">A value is not of its type; the message names the setting.</exception>
    public static T Read<T>(this IConfiguration configuration, string section)
        where T : class, new()
    {
        var options = new T();
        SettingsReader.Read(configuration, section, options);
        return options;
    }

    /// <summary>Reads a setting that is true or false, and false where it is not set.</summary>
    /// <exception cref="OptionsValidationException">It is neither.</exception>
    public static bool ReadSwitch(this IConfiguration configuration, string key)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration[key] is { Length: > 0 } value
            && (bool.TryParse(value, out var on)
                ? on
                : throw new OptionsValidationException(key, typeof(bool), [$"The setting '{key}' is '{value}'. Use true or false."]));
    }
}
