using System.Globalization;
using System.Reflection;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Api.Detections;

/// <summary>The parameters of a query that may also be sent as fields of the body.</summary>
internal static class QueryFields
{
    public static IReadOnlyCollection<string> Names<T>()
        where T : AnswerQuery => Parameters<T>.Names;

    /// <summary>Refuses unknown parameters, and numbers with a comma, which the framework reads as a thousands separator.</summary>
    /// <exception cref="ProblemException">The query has such a parameter.</exception>
    public static void Check<T>(IQueryCollection query)
        where T : AnswerQuery
    {
        foreach (var (name, values) in query)
        {
            if (!Parameters<T>.ByName.TryGetValue(name, out var property))
            {
                throw new ProblemException(
                    ProblemType.InvalidRequest, $"The query has no parameter '{CallerText.Show(name)}'. {NearestName.Proposal(name, Parameters<T>.Names)}");
            }

            if (TypeOf(property) is var type && type != typeof(string) && type != typeof(bool))
            {
                RequireNoComma(name, values.ToString());
            }
        }
    }

    /// <summary>Adds the fields of a body to the query.</summary>
    /// <exception cref="ProblemException">The value of a field is not valid, or the parameter is also in the query.</exception>
    public static T With<T>(this T query, IReadOnlyDictionary<string, string> fields)
        where T : AnswerQuery
    {
        if (fields.Count == 0)
        {
            return query;
        }

        var both = (T)query.Copy();
        foreach (var (name, text) in fields)
        {
            var property = Parameters<T>.ByName[name];
            if (property.GetValue(both) is not null)
            {
                throw new ProblemException(ProblemType.InvalidRequest, $"The parameter '{name}' is in the query and in the body. Send it once.");
            }

            property.SetValue(both, Read(name, text.Trim(), TypeOf(property)));
        }

        return both;
    }

    private static Type TypeOf(PropertyInfo property) => Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;

    /// <summary>Reads a value as the framework does. A blank text counts as no value, because browsers also send the empty fields of a form.</summary>
    private static object? Read(string name, string text, Type type)
    {
        if (text.Length == 0)
        {
            return null;
        }

        if (type == typeof(string))
        {
            return text;
        }

        if (type == typeof(bool))
        {
            return bool.TryParse(text, out var flag) ? flag : throw Unreadable(name, text);
        }

        RequireNoComma(name, text);
        return type == typeof(int)
            ? int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var whole) ? whole : throw Unreadable(name, text)
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? Convert.ChangeType(number, type, CultureInfo.InvariantCulture) : throw Unreadable(name, text);
    }

    private static void RequireNoComma(string name, string text)
    {
        if (text.Contains(',', StringComparison.Ordinal))
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The parameter '{name}' is '{CallerText.Show(text)}'. Use one number, with a decimal point.");
        }
    }

    private static ProblemException Unreadable(string name, string text) =>
        new(ProblemType.InvalidRequest, $"'{name}' cannot be '{CallerText.Show(text)}'.");

    private static class Parameters<T>
        where T : AnswerQuery
    {
        public static readonly Dictionary<string, PropertyInfo> ByName = typeof(T).GetProperties().ToDictionary(
            static property => property.GetCustomAttribute<FromQueryAttribute>()?.Name ?? property.Name, StringComparer.OrdinalIgnoreCase);

        public static readonly IReadOnlyCollection<string> Names = [.. ByName.Keys.Order(StringComparer.Ordinal)];
    }
}
