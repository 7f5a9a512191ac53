using System.Globalization;
using Detection.Contracts.Answers;
using Microsoft.OpenApi;

namespace Detection.Frontend.Http.OpenApi;

/// <summary>Parts of the descriptions of operations. The descriptions are beside their endpoints.</summary>
internal static class OpenApiParts
{
    /// <summary>The problems of every operation that calls the cluster.</summary>
    public static readonly IReadOnlyList<ProblemType> ClusterProblems =
        [ProblemType.InvalidRequest, ProblemType.Unauthorized, ProblemType.RateLimited, ProblemType.Internal, ProblemType.Unavailable, ProblemType.DeadlineExceeded];

    /// <summary>Describes a parameter.</summary>
    public static RouteHandlerBuilder WithParameter(this RouteHandlerBuilder route, string name, string description) =>
        route.WithOperation((operation, _) => operation.Parameters!.Single(parameter => parameter.Name == name).Description = description);

    /// <summary>Adds to the description what the framework cannot see in the code of an endpoint.</summary>
    public static RouteHandlerBuilder WithOperation(this RouteHandlerBuilder route, Action<OpenApiOperation, OpenApiDocument> describe) =>
        route.AddOpenApiOperationTransformer((operation, context, _) =>
        {
            describe(operation, context.Document!);
            return Task.CompletedTask;
        });

    /// <summary>Describes the problems of an operation.</summary>
    public static RouteHandlerBuilder WithProblems(this RouteHandlerBuilder route, params IEnumerable<ProblemType> types)
    {
        var byStatus = types.GroupBy(static type => type.Status).ToList();
        foreach (var group in byStatus)
        {
            route.ProducesProblem(group.Key);
        }

        return route.WithOperation((operation, _) =>
        {
            foreach (var group in byStatus)
            {
                var response = operation.Response(group.Key);
                response.Description = string.Join("\n\n", group.Select(static type => $"`{type.Uri}`: {type.Description}"));
                if (group.Key is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status429TooManyRequests)
                {
                    AddHeader(response, "Retry-After", "Seconds to wait before a retry.", Seconds());
                }
            }
        });
    }

    /// <summary>The operation's response for a status. It must exist.</summary>
    public static OpenApiResponse Response(this OpenApiOperation operation, int status) =>
        (OpenApiResponse)operation.Responses![status.ToString(CultureInfo.InvariantCulture)];

    public static void AddHeader(this OpenApiResponse response, string name, string description, OpenApiSchema schema)
    {
        response.Headers ??= new Dictionary<string, IOpenApiHeader>();
        response.Headers[name] = new OpenApiHeader { Description = description, Schema = schema };
    }

    /// <summary>A required body, in one of several forms.</summary>
    public static OpenApiRequestBody Body(params (string ContentType, IOpenApiSchema Schema)[] forms) => new()
    {
        Required = true,
        Content = forms.ToDictionary(static form => form.ContentType, static form => new OpenApiMediaType { Schema = form.Schema }),
    };

    public static OpenApiSchema Object(params (string Name, OpenApiSchema Schema)[] properties) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = properties.ToDictionary(static property => property.Name, static IOpenApiSchema (property) => property.Schema),
    };

    /// <summary>An object with one required property.</summary>
    public static OpenApiSchema ObjectWith(string property, OpenApiSchema schema)
    {
        var with = Object((property, schema));
        with.Required = new HashSet<string> { property };
        return with;
    }

    public static OpenApiSchema Binary(string? description = null) => new() { Type = JsonSchemaType.String, Format = "binary", Description = description };

    public static OpenApiSchema Number(string description) => new() { Type = JsonSchemaType.Number, Description = description };

    public static OpenApiSchema Text(string? description = null) => new() { Type = JsonSchemaType.String, Description = description };

    /// <summary>A whole number of seconds.</summary>
    public static OpenApiSchema Seconds() => new() { Type = JsonSchemaType.Integer, Minimum = "1" };
}
