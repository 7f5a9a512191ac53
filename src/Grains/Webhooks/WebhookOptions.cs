using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>Webhooks of asynchronous requests: section <c>Detection:Webhooks</c>. Where they may be sent is said by <c>Detection:Fetch</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Webhooks";

    /// <summary>
    /// The secret that signs them, as Standard Webhooks writes it: <c>whsec_</c> and 24 to 64 bytes in base64; the same on every silo.
    /// Two, separated by a space, sign both, so that receivers can change over. Without one webhooks are refused: receivers could not tell
    /// them from forged ones.
    /// </summary>
    public string? Secret { get; set; }

    /// <summary>Most webhooks that may wait to be delivered, over the whole cluster; further ones are refused. 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int Capacity { get; set; } = 1000;

    /// <summary>
    /// How much of <see cref="Capacity"/>, and of the deliveries that one silo makes at once, a named caller may take when it is alone,
    /// 0.01 to 1; with others the same share of what they leave, as <c>Detection:Queue:CallerShare</c> has it. Callers without a name have no such limit.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>
    /// Most deliveries at the same time in one silo, 1 to 1024; half of them to one receiver, that is to one address with its port, so that one that
    /// hangs does not hold up the others.
    /// </summary>
    [Range(1, 1024)]
    public int MaxConcurrency { get; set; } = 16;

    /// <summary>Longest time of one attempt, up to the headers of the answer. 0.1 s to 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most attempts, 1 to 100.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>Pause after the first attempt; it doubles from one to the next, and a random part of up to a half is taken off. 10 ms to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause, also when the receiver asks for a longer one (<c>Retry-After</c>). 10 ms to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long after the deadline of its request a webhook is tried at most. 1 s to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Refuses to start with a secret that is none.</summary>
internal sealed class WebhookOptionsValidator : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options) =>
        WebhookSigner.TryParse(options.Secret, out _)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"The setting '{WebhookOptions.Section}:{nameof(options.Secret)}' must be whsec_ and 24 to 64 bytes in base64, or two of them separated by a space.");
}
