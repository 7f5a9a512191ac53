using System.Globalization;
using System.Reflection;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Api.Detections;

/// <summary>
/// Refuses a query that the framework would misread: a parameter that does not exist, such as a misspelt one, and a
/// number with a comma, which the framework reads as a separator of thousands.
/// </summary>
internal static class QueryRules
{
    private const int MaxDistance = 2;

    /// <summary>The endpoint takes the parameters of <typeparamref name="T"/> and no others.</summary>
    public static RouteHandlerBuilder WithQuery<T>(this RouteHandlerBuilder route)
    {
        var isNumber = typeof(T).GetProperties().ToDictionary(
            static property => property.GetCustomAttribute<FromQueryAttribute>()?.Name ?? property.Name,
            static property => IsNumber(property.PropertyType),
            StringComparer.OrdinalIgnoreCase);
        return route.AddEndpointFilter(async (context, next) =>
        {
            foreach (var (name, values) in context.HttpContext.Request.Query)
            {
                if (!isNumber.TryGetValue(name, out var number))
                {
                    throw new ProblemException(ProblemType.InvalidRequest, Unknown(name, isNumber.Keys));
                }

                if (number && values.ToString().Contains(',', StringComparison.Ordinal))
                {
                    throw new ProblemException(
                        ProblemType.InvalidRequest, $"The parameter '{name}' is '{CallerText.Show(values)}'. Use one number, with a decimal point.");
                }
            }

            return await next(context);
        });
    }

    private static bool IsNumber(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is { IsPrimitive: true } number && number != typeof(bool);

    private static string Unknown(string name, IEnumerable<string> known)
    {
        var (closest, distance) = known.Select(other => (Name: other, Distance: Distance(name.ToLowerInvariant(), other))).MinBy(static other => other.Distance);
        var proposal = distance <= MaxDistance ? $"Use '{closest}'." : $"It has {string.Join(", ", known.Order(StringComparer.Ordinal))}.";
        return string.Create(CultureInfo.InvariantCulture, $"The query has no parameter '{CallerText.Show(name)}'. {proposal}");
    }

    /// <summary>Letters that must be added, taken out or changed (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > MaxDistance)
        {
            return int.MaxValue;
        }

        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(diagonal + (a[i - 1] == b[j - 1] ? 0 : 1), 1 + Math.Min(row[j], row[j - 1])));
            }
        }

        return row[^1];
    }
}
