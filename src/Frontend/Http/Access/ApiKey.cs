using System.Security.Claims;

namespace Detection.Frontend.Http.Access;

/// <summary>A valid key.</summary>
/// <param name="Name">Name of the key; the queue's shares use it as the caller.</param>
/// <param name="RequestsPerSecond">Requests per second; 0 for no limit.</param>
/// <param name="Burst">Requests at once after a pause.</param>
/// <param name="MaxUploads">Uploads at the same time; 0 for no limit.</param>
/// <param name="IsAdministrator">Whether it may administer the cluster.</param>
internal sealed record ApiKey(string Name, double RequestsPerSecond, int Burst, int MaxUploads, bool IsAdministrator)
{
    public ClaimsPrincipal User { get; } = new(new ClaimsIdentity([new Claim(ClaimTypes.Name, Name)], ApiKeyHandler.Scheme));
}
