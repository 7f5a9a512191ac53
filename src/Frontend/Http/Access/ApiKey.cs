using System.Security.Claims;

namespace Detection.Frontend.Http.Access;

/// <summary>A key that is valid.</summary>
/// <param name="Name">Name of the key; also the caller's in the queue.</param>
/// <param name="RequestsPerSecond">Requests per second; 0 for no limit.</param>
/// <param name="Burst">Requests at once.</param>
/// <param name="MaxUploads">Uploads at the same time; 0 for no limit.</param>
internal sealed record ApiKey(string Name, double RequestsPerSecond, int Burst, int MaxUploads)
{
    /// <summary>What the key makes of a request's user.</summary>
    public ClaimsPrincipal User { get; } = new(new ClaimsIdentity([new Claim(ClaimTypes.Name, Name)], ApiKeyHandler.Scheme));
}
