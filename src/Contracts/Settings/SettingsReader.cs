using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Settings;

/// <summary>
/// Reads settings into options. The binder of .NET does the work. Before that, each value is read by its type, so that durations may have units and
/// an invalid value is reported in a sentence that names the setting. An empty value counts as not set.
/// </summary>
internal static class SettingsReader
{
    /// <summary>Binds a section to options.</summary>
    /// <exception cref="OptionsValidationException">A value is not of its type; the message names the setting.</exception>
    public static void Read(IConfiguration configuration, string section, object options)
    {
        var values = new Dictionary<string, string?>();
        var faults = new List<string>();
        foreach (var (path, value) in configuration.GetSection(section).AsEnumerable(makePathsRelative: true))
        {
            if (value is null || path.Length == 0 || TypeAt(options.GetType(), path) is not (var type, var property))
            {
                continue;
            }

            if (TryRead(type, value, out var text))
            {
                if (text is not null)
                {
                    values[path] = text;
                }
            }
            else
            {
                faults.Add($"The setting '{section}:{path}' is '{value}'. {SettingRules.Expect(type, property)}");
            }
        }

        if (faults.Count > 0)
        {
            throw new OptionsValidationException(section, options.GetType(), faults);
        }

        new ConfigurationBuilder().AddInMemoryCollection(values).Build().Bind(options);
    }

    /// <summary>
    /// Reads a value. <paramref name="text"/> is the form that the binder accepts; <see langword="null"/> for a value that counts as not set.
    /// </summary>
    private static bool TryRead(Type type, string value, out string? text)
    {
        text = value;
        if (type == typeof(string))
        {
            return true;
        }

        if (value.Length == 0)
        {
            text = null;
            return true;
        }

        if (type == typeof(TimeSpan))
        {
            var isDuration = Duration.TryParse(value, out var duration);
            text = duration.ToString("c", CultureInfo.InvariantCulture);
            return isDuration;
        }

        try
        {
            var read = TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value);
            return !type.IsEnum || Enum.IsDefined(type, read!);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException or InvalidCastException)
        {
            return false;
        }
    }

    /// <summary>The type and property to which a path below a section is bound; <see langword="null"/> where there is no such property.</summary>
    private static (Type Type, PropertyInfo? Property)? TypeAt(Type type, string path)
    {
        PropertyInfo? property = null;
        foreach (var name in path.Split(ConfigurationPath.KeyDelimiter))
        {
            if (EntryOf(type) is { } entry)
            {
                type = entry;
                continue;
            }

            property = type.GetProperty(name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
            if (property is null)
            {
                return null;
            }

            type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        }

        return EntryOf(type) is null ? (type, property) : null;
    }

    private static Type? EntryOf(Type type) => type == typeof(string) ? null : type.GetInterfaces().Append(type)
        .Where(static candidate => candidate.IsGenericType)
        .Select(static candidate => candidate.GetGenericTypeDefinition() == typeof(IDictionary<,>) ? candidate.GetGenericArguments()[1]
            : candidate.GetGenericTypeDefinition() == typeof(ICollection<>) && candidate.GetGenericArguments()[0] is { } entry && !IsPair(entry) ? entry
            : null)
        .FirstOrDefault(static entry => entry is not null);

    private static bool IsPair(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>);
}
