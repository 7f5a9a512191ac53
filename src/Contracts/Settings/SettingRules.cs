using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Settings;

/// <summary>Describes what the annotations of an options type allow, in sentences that name the setting.</summary>
internal static class SettingRules
{
    /// <summary>Faults of options that were read.</summary>
    public static IEnumerable<string> FindFaults(string section, object options)
    {
        foreach (var property in options.GetType().GetProperties().Where(static property => property.GetIndexParameters().Length == 0))
        {
            var key = $"{section}:{property.Name}";
            if (property.IsDefined(typeof(ValidateObjectMembersAttribute)))
            {
                foreach (var fault in FindFaults(key, property.GetValue(options)!))
                {
                    yield return fault;
                }
            }

            var context = new ValidationContext(options) { MemberName = property.Name };
            foreach (var attribute in property.GetCustomAttributes<ValidationAttribute>())
            {
                var value = property.GetValue(options);
                if (attribute.GetValidationResult(value, context) is not null)
                {
                    yield return Describe(attribute, property, key, value);
                }
            }
        }
    }

    /// <summary>The values that a setting accepts, as a sentence: <c>Use a whole number from 1 to 100.</c></summary>
    public static string Expect(Type type, PropertyInfo? property)
    {
        var range = property?.GetCustomAttribute<RangeAttribute>() is { } bounds ? Bounds(bounds, type) : "";
        return type == typeof(TimeSpan) ? $"Use a duration{range}, such as 4s, 500ms, 2m, 1h, 7d or 00:00:04."
            : type == typeof(bool) ? "Use true or false."
            : type == typeof(double) || type == typeof(float) ? $"Use a number{range}, with a decimal point."
            : type == typeof(Uri) ? "Use an address such as http://host:4317."
            : type.IsEnum ? $"Use {string.Join(" or ", Enum.GetNames(type))}."
            : $"Use a whole number{range}.";
    }

    private static string Describe(ValidationAttribute attribute, PropertyInfo property, string key, object? value) => attribute switch
    {
        // The message of the annotation, with the name of the setting at {0}.
        { ErrorMessage: not null } => attribute.FormatErrorMessage(key),
        RangeAttribute => $"The setting '{key}' is '{Text(value)}'. {Expect(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, property)}",
        RequiredAttribute => $"The setting '{key}' is empty. Give it a value.",
        _ => attribute.FormatErrorMessage(key),
    };

    private static string Bounds(RangeAttribute range, Type type)
    {
        var (low, high) = type == typeof(TimeSpan)
            ? (Duration.ToText(TimeSpan.Parse((string)range.Minimum, CultureInfo.InvariantCulture)), Duration.ToText(TimeSpan.Parse((string)range.Maximum, CultureInfo.InvariantCulture)))
            : (Text(range.Minimum), Text(range.Maximum));
        return range.MinimumIsExclusive ? $" above {low} and up to {high}" : $" from {low} to {high}";
    }

    private static string Text(object? value) => value is TimeSpan time ? Duration.ToText(time) : Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
