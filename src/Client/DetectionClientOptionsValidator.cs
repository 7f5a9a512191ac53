using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;

namespace Detection.Client;

/// <summary>Checks that the connection strings can be read. A message names the setting but not its value, which may contain a password.</summary>
internal sealed class DetectionClientOptionsValidator : IValidateOptions<DetectionClientOptions>
{
    public ValidateOptionsResult Validate(string? name, DetectionClientOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.Redis))
        {
            return ValidateOptionsResult.Fail(
                "The client has no Redis. Set ConnectionStrings:redis (in the environment ConnectionStrings__redis), for example to localhost:6379.");
        }

        List<string> failures = [];
        Check("redis", options.Redis);
        if (!string.IsNullOrWhiteSpace(options.PictureMemory))
        {
            Check("pictures", options.PictureMemory);
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(string setting, string value)
        {
            try
            {
                RedisConnection.Parse(value);
            }
            catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
            {
                failures.Add($"ConnectionStrings:{setting} cannot be read: {e.Message}");
            }
        }
    }
}
