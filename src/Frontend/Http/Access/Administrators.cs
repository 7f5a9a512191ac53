using System.Net;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Primitives;

namespace Detection.Frontend.Http.Access;

/// <summary>Whether a caller may administer the cluster.</summary>
internal enum AdministrationRight
{
    /// <summary>No caller at this address may.</summary>
    None,

    /// <summary>The caller needs an API key with this right.</summary>
    KeyNeeded,

    /// <summary>The caller may.</summary>
    Granted,
}

/// <summary>
/// Decides who may administer the cluster. When the server requires keys: callers with a key that has this right, also at the management address.
/// When it requires none: callers on this machine, at an address that no other machine can reach, not through a proxy and not from a page of
/// another site.
/// </summary>
/// <param name="addresses">The addresses on which the server listens.</param>
/// <param name="keys">The keys; <see langword="null"/> when the server requires none.</param>
internal sealed class Administrators(ListeningAddresses addresses, ApiKeys? keys = null) : IEndpointFilter
{
    private static readonly string[] ProxyHeaders = ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"];

    /// <summary>Who administers, for a log message.</summary>
    public static string Describe(HttpContext http) => http.Caller() is { } key ? $"Key '{key}'" : "A caller on this machine";

    /// <summary>The right of a request's caller.</summary>
    public AdministrationRight RightOf(HttpContext http) =>
        keys is null ? IsOfThisMachine(http) ? AdministrationRight.Granted : AdministrationRight.None
        : http.Features.Get<ApiKey>() is { IsAdministrator: true } ? AdministrationRight.Granted
        : keys.HasAdministrator ? AdministrationRight.KeyNeeded
        : AdministrationRight.None;

    /// <summary>Refuses callers that are not administrators.</summary>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (RightOf(http) == AdministrationRight.Granted)
        {
            return await next(context);
        }

        if (keys is null)
        {
            throw new ProblemException(
                ProblemType.NotFound,
                "Administration needs an API key with 'Administrator: true' in Detection:Access:Keys. When no keys are configured, it is open only to callers on this machine, at an address on localhost and without a proxy.");
        }

        if (http.Features.Get<ApiKey>() is { } key)
        {
            throw new ProblemException(ProblemType.Forbidden, $"The key '{key.Name}' may not administer the cluster. Use one with 'Administrator: true' in Detection:Access:Keys.");
        }

        await http.ChallengeAsync();
        return TypedResults.Empty;
    }

    private bool IsOfThisMachine(HttpContext http)
    {
        var headers = http.Request.Headers;
        return addresses.IsLoopbackOnly(http.Connection)
            && IsLoopback(http.Request.Host.Host)
            && !ProxyHeaders.Any(headers.ContainsKey)
            && (StringValues.IsNullOrEmpty(headers.Origin) || IsOwn(headers.Origin.ToString(), http.Request.Host))
            && headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none";
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority.Equals(host.Value, StringComparison.OrdinalIgnoreCase);
}
