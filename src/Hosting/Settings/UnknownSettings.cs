using Detection.Contracts.Messages;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;

namespace Detection.Hosting.Settings;

/// <summary>Refuses settings that no program reads, such as misspelt ones: they would be without effect, in silence.</summary>
public static class UnknownSettings
{
    private const string Root = "Detection";
    private static readonly string Prefix = Root + ConfigurationPath.KeyDelimiter;

    /// <summary>
    /// Requires that all settings below <c>Detection</c> exist, whichever program reads them: the processes of a cluster may be given the same
    /// ones. Those of the framework (Logging, Kestrel and the like) are left alone.
    /// </summary>
    /// <exception cref="OptionsValidationException">Some do not; the message names them and those that were probably meant.</exception>
    public static void RequireKnownSettings(this IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ClusterId.RefuseFormerSettings(configuration);
        var faults = configuration.GetSection(Root).AsEnumerable()
            .Where(static setting => !string.IsNullOrEmpty(setting.Value) && setting.Key != Root)
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

    /// <summary>A setting whose key is almost the same, or one of the same name in another section.</summary>
    private static string? FindMeant(string key)
    {
        var known = SettingsReference.All.Select(setting => setting.WithNamesOf(key)).Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal)).ToList();
        return NearestName.Of(key[Prefix.Length..], known.Select(static name => name[Prefix.Length..])) is { } nearest
            ? Prefix + nearest
            : known.FirstOrDefault(name => name.StartsWith($"{key}{ConfigurationPath.KeyDelimiter}", StringComparison.OrdinalIgnoreCase))
            ?? (known.Where(name => NameOf(name).Equals(NameOf(key), StringComparison.OrdinalIgnoreCase)).ToList() is [var only] ? only : null);
    }

    private static string NameOf(string key) => ConfigurationPath.GetSectionKey(key)!;
}
