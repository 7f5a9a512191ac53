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
internal static class QueryParameterFilter
{
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
                    throw new ProblemException(ProblemType.InvalidRequest, Unknown(name, isNumber.Keys.Order(StringComparer.Ordinal).ToArray()));
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

    private static string Unknown(string name, IReadOnlyCollection<string> known) =>
        $"The query has no parameter '{CallerText.Show(name)}'. {NearestName.Proposal(name, known)}";
}
