using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Access;

/// <summary>Authenticates a request by its key, in <c>X-API-Key</c> or <c>Authorization: Bearer</c>.</summary>
internal sealed class ApiKeyHandler(
    ApiKeys keys, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>Name of the authentication scheme.</summary>
    public new const string Scheme = "ApiKey";

    /// <summary>The header.</summary>
    public const string Header = "X-API-Key";

    private const string BearerPrefix = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Presented() is not { } presented)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        if (keys.Find(presented) is not { } key)
        {
            return Task.FromResult(AuthenticateResult.Fail("No such key."));
        }

        Context.Features.Set(key);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(key.User, Scheme)));
    }

    /// <summary>The body is written by the problems, in the form of the endpoint.</summary>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = Presented() is null ? "Bearer realm=\"detection\"" : "Bearer realm=\"detection\", error=\"invalid_token\"";
        return Task.CompletedTask;
    }

    private string? Presented()
    {
        if (Request.Headers.TryGetValue(Header, out var values) && values.Count == 1)
        {
            return values[0];
        }

        return Request.Headers.Authorization is [{ } authorization] && authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? authorization[BearerPrefix.Length..].Trim()
            : null;
    }
}
