using Detection.Contracts.Messages;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;

namespace Detection.Hosting.Settings;

/// <summary>Refuses settings that no program reads, such as misspelt ones, which would have no effect.</summary>
public static class UnknownSettings
{
    private const string Root = "Detection";
    private static readonly string Prefix = Root + ConfigurationPath.KeyDelimiter;

    /// <summary>
    /// Requires that all settings below <c>Detection</c> exist in any program: the processes of a cluster may get the same settings. Settings of the
    /// framework (Logging, Kestrel and others) are not checked.
    /// </summary>
    /// <exception cref="OptionsValidationException">Some do not exist; the message names them and the most similar ones.</exception>
    public static void RequireKnownSettings(this IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ClusterId.RefuseFormerSettings(configuration);
        var faults = configuration.GetSection(Root).AsEnumerable()
            .Where(static setting => !string.IsNullOrEmpty(setting.Value))
            .Select(static setting => setting.Key)
            .Where(static key => !SettingsReference.All.Any(known => known.Is(key)))
            .Order(StringComparer.Ordinal)
            .Select(static key => $"The setting '{key}' does not exist. {(FindMeant(key) is { } meant ? $"Use '{meant}'." : "The option --help lists all settings.")}")
            .ToList();
        if (faults.Count > 0)
        {
            throw new OptionsValidationException(Root, typeof(IConfiguration), faults);
        }
    }

    /// <summary>A setting with a similar key, or with the same name in another section.</summary>
    private static string? FindMeant(string key)
    {
        if (key.Equals(Root, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var known = SettingsReference.All.Select(setting => setting.WithNamesOf(key)).Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal)).ToList();
        return NearestName.Of(key[Prefix.Length..], known.Select(static name => name[Prefix.Length..])) is { } nearest
            ? Prefix + nearest
            : known.FirstOrDefault(name => name.StartsWith($"{key}{ConfigurationPath.KeyDelimiter}", StringComparison.OrdinalIgnoreCase))
            ?? (known.Where(name => NameOf(name).Equals(NameOf(key), StringComparison.OrdinalIgnoreCase)).ToList() is [var only] ? only : null);
    }

    private static string NameOf(string key) => ConfigurationPath.GetSectionKey(key)!;
}
