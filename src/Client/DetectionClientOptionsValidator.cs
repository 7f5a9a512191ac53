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

        List<string?> faults =
        [
            RedisConnection.FindFault("redis", options.Redis),
            string.IsNullOrWhiteSpace(options.PictureMemory) ? null : RedisConnection.FindFault("pictures", options.PictureMemory),
        ];
        return faults.TrueForAll(static fault => fault is null) ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.OfType<string>());
    }
}
