using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Storage;

/// <summary>
/// Names a cluster: its silos find each other by it, and every key and channel in Redis starts with it, so that several clusters can share a Redis.
/// </summary>
public static partial class ClusterId
{
    /// <summary>The setting, the same for silos, front ends and clients.</summary>
    public const string Setting = "Detection:ClusterId";

    /// <summary>The default id.</summary>
    public const string Default = "detection";

    /// <summary>
    /// The form of an id. It contains no colon, which ends the id in a key, so that no id is the beginning of another one's keys. It contains no
    /// braces, which would replace the hash tag of a key.
    /// </summary>
    public const string Pattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";

    /// <summary>The message about an invalid id.</summary>
    public const string Rule = "The cluster id (Detection:ClusterId) must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or a digit.";

    /// <summary>Whether <paramref name="id"/> is a valid id.</summary>
    public static bool IsValid(string? id) => id is not null && Valid().IsMatch(id);

    /// <summary>The id that the settings give, or the default.</summary>
    /// <exception cref="OptionsValidationException">It is not valid, or a setting has the name of an earlier version.</exception>
    public static string Read(IConfiguration configuration)
    {
        RefuseFormerSettings(configuration);
        var id = configuration[Setting] is { Length: > 0 } set ? set : Default;
        return IsValid(id) ? id : throw Invalid($"{Rule} It is '{id}'.");
    }

    /// <summary>Earlier, this setting named only connections, not keys. So a process with the old setting stops with this message.</summary>
    /// <exception cref="OptionsValidationException">Such a setting is there.</exception>
    public static void RefuseFormerSettings(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var root = configuration.GetSection("Detection");
        foreach (var former in (string[])["Silo:ClusterId", "Silo:ServiceId", "Client:ServiceId"])
        {
            if (root.GetSection(former) is { Value: not null } found)
            {
                throw Invalid($"The setting '{found.Path}' no longer exists. Set '{Setting}', the same for all silos and clients, which also begins every key in Redis.");
            }
        }
    }

    private static OptionsValidationException Invalid(string fault) => new(Setting, typeof(string), [fault]);

    [GeneratedRegex($"^(?:{Pattern})\\z")]
    private static partial Regex Valid();
}
