using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>Webhooks of asynchronous requests: section <c>Detection:Webhooks</c>. The rules of <c>Detection:Fetch</c> decide to which addresses they may be sent.</summary>
public sealed class WebhookOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Webhooks";

    /// <summary>
    /// The secret that signs webhooks, in the form of Standard Webhooks: <c>whsec_</c> and 24 to 64 bytes in base64; the same on every silo.
    /// During a change, two secrets separated by a space: each webhook then has both signatures. Without a secret, requests with a webhook are
    /// refused, because receivers could not recognize forged webhooks.
    /// </summary>
    public string? Secret { get; set; }

    /// <summary>Maximum number of waiting webhooks, in the whole cluster; further ones are refused. 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int Capacity { get; set; } = 1000;

    /// <summary>
    /// Share of <see cref="Capacity"/>, and of <see cref="MaxConcurrency"/>, that one named caller may hold, of what the other callers leave.
    /// 0.01 to 1. Callers without a name have no such limit.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>
    /// Maximum number of concurrent deliveries of one silo, 1 to 1024. At most half of them go to one receiver (an address with its port), so
    /// that a receiver that hangs does not delay the others.
    /// </summary>
    [Range(1, 1024)]
    public int MaxConcurrency { get; set; } = 16;

    /// <summary>Maximum time of one attempt, until the headers of the answer. 0.1 s to 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Maximum number of attempts, 1 to 100.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>Pause after the first attempt. It doubles with each attempt; a random part of up to a half is subtracted. 10 ms to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause. A longer <c>Retry-After</c> of the receiver is shortened to it. 10 ms to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long after the deadline of its request a webhook is retried. 1 s to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Refuses a secret that is not valid.</summary>
internal sealed class WebhookOptionsValidator : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options) =>
        WebhookSigner.TryParse(options.Secret, out _)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"The setting '{WebhookOptions.Section}:{nameof(options.Secret)}' must be whsec_ and 24 to 64 bytes in base64, or two of them separated by a space.");
}
