namespace Detection.Frontend.Api.Detections;

/// <summary>Refuses a query that the framework would misread.</summary>
internal static class QueryParameterFilter
{
    /// <summary>Accepts the query parameters of <typeparamref name="T"/> and no others.</summary>
    public static RouteHandlerBuilder WithQuery<T>(this RouteHandlerBuilder route)
        where T : AnswerQuery =>
        route.AddEndpointFilter(static (context, next) =>
        {
            QueryFields.Check<T>(context.HttpContext.Request.Query);
            return next(context);
        });
}
