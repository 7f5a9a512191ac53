using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Settings;

/// <summary>The section of an options type.</summary>
/// <param name="Name">Name of the section.</param>
/// <param name="Configuration">The configuration; <see langword="null"/> for the one in the container.</param>
internal sealed record OptionsSection<T>(string Name, IConfiguration? Configuration);

/// <summary>Reads options from their section and checks them by their annotations.</summary>
internal sealed class SectionOptions<T>(OptionsSection<T> section, IServiceProvider services) : IConfigureOptions<T>, IValidateOptions<T>
    where T : class
{
    public void Configure(T options) =>
        SettingsReader.Read(section.Configuration ?? services.GetRequiredService<IConfiguration>(), section.Name, options);

    public ValidateOptionsResult Validate(string? name, T options)
    {
        var faults = SettingRules.FindFaults(section.Name, options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
