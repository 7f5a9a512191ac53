using System.Net;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Primitives;

namespace Detection.Frontend.Http.Access;

/// <summary>What a caller may do with the cluster.</summary>
internal enum AdministrationRight
{
    /// <summary>Nobody who calls from there may administer it.</summary>
    None,

    /// <summary>An API key that may is needed.</summary>
    KeyNeeded,

    /// <summary>The caller may.</summary>
    Granted,
}

/// <summary>
/// Who may administer the cluster. Where keys are asked for: a key with this right, also on the listener for management. Where none are: who
/// calls from this machine, on a listener that no other machine can reach, neither through a proxy nor from a page of another site.
/// </summary>
/// <param name="addresses">Where the server listens.</param>
/// <param name="keys">The keys; <see langword="null"/> where none are asked for.</param>
internal sealed class Administrators(ListeningAddresses addresses, ApiKeys? keys = null) : IEndpointFilter
{
    private static readonly string[] ProxyHeaders = ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"];

    /// <summary>What the caller of a request may do.</summary>
    public AdministrationRight RightOf(HttpContext http) =>
        keys is null ? IsOfThisMachine(http) ? AdministrationRight.Granted : AdministrationRight.None
        : http.Features.Get<ApiKey>() is { IsAdministrator: true } ? AdministrationRight.Granted
        : keys.HasAdministrator ? AdministrationRight.KeyNeeded
        : AdministrationRight.None;

    /// <summary>Lets administrators in and refuses others.</summary>
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
                "Administration needs an API key with 'Administrator: true' in Detection:Access:Keys. Without keys it is open on this machine alone, where the server listens on localhost and no proxy is between.");
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
