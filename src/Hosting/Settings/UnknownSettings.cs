using Detection.Contracts.Messages;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;

namespace Detection.Hosting.Settings;

/// <summary>Refuses settings that no program reads, such as misspelt ones, which would have no effect.</summary>
public static class UnknownSettings
{
    private const string Root = "Detection";
    private const string ConnectionStrings = "ConnectionStrings";
    private static readonly string Prefix = Root + ConfigurationPath.KeyDelimiter;

    /// <summary>
    /// Requires that all settings below <c>Detection</c> exist in any program: the processes of a cluster may get the same settings. Settings of the
    /// framework (Logging, Kestrel and others) and of other programs are not checked, unless only a misspelt section or connection string
    /// distinguishes them from one that is not set.
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
            .Concat(FindMisspeltSections(configuration))
            .ToList();
        if (faults.Count > 0)
        {
            throw new OptionsValidationException(Root, typeof(IConfiguration), faults);
        }
    }

    /// <summary>Settings whose section has nearly the name of one of ours, such as <c>ConnectionString:redis</c>, and connection strings with nearly such a name.</summary>
    private static IEnumerable<string> FindMisspeltSections(IConfiguration configuration)
    {
        foreach (var section in configuration.GetChildren())
        {
            var isConnections = section.Key.Equals(ConnectionStrings, StringComparison.OrdinalIgnoreCase);
            if (section.Key.Equals(Root, StringComparison.OrdinalIgnoreCase)
                || (isConnections ? ConnectionStrings : NearestName.Of(section.Key, [Root, ConnectionStrings])) is not { } root)
            {
                continue;
            }

            foreach (var (name, _) in section.AsEnumerable(makePathsRelative: true).Where(static setting => !string.IsNullOrEmpty(setting.Value)))
            {
                var written = ConfigurationPath.Combine(root, name);
                var meant = isConnections ? FindConnection(name) : SettingsReference.All.Any(known => known.Is(written)) ? written : null;
                if (meant is not null && string.IsNullOrEmpty(configuration[meant]))
                {
                    yield return $"The setting '{section.Key}{(name.Length == 0 ? "" : ConfigurationPath.KeyDelimiter)}{name}' does not exist. Use '{meant}'.";
                }
            }
        }
    }

    /// <returns><see langword="null"/> for the name of one of ours, and for a name that is not similar to one.</returns>
    private static string? FindConnection(string name)
    {
        var known = SettingsReference.All
            .Where(static setting => setting.Key.StartsWith(ConnectionStrings, StringComparison.Ordinal))
            .Select(static setting => NameOf(setting.Key))
            .ToList();
        return !known.Contains(name, StringComparer.OrdinalIgnoreCase) && NearestName.Of(name, known) is { } nearest ? ConfigurationPath.Combine(ConnectionStrings, nearest) : null;
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
