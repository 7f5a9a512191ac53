using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;

namespace Detection.Grains.Webhooks;

/// <summary>One URL that is notified when one request has ended.</summary>
/// <param name="Id">Identifies it to the receiver; the same in every attempt.</param>
/// <param name="Key">The request.</param>
/// <param name="Url">The URL that is notified.</param>
/// <param name="Choice">The objects of the result that it gets.</param>
/// <param name="SubmittedAt">When it was registered.</param>
/// <param name="Deadline">The deadline of the request. After it, an unknown request is a lost one.</param>
/// <param name="GiveUpAt">When delivery is abandoned.</param>
/// <param name="Caller">The caller whose share of webhooks is used; <see langword="null"/> for a caller without a name.</param>
internal sealed record Webhook(
    string Id,
    RequestKey Key,
    Uri Url,
    BoxChoice Choice,
    DateTimeOffset SubmittedAt,
    DateTimeOffset Deadline,
    DateTimeOffset GiveUpAt,
    string? Caller = null)
{
    /// <summary>Hash of the content and the URL. Two webhooks with the same hash are one.</summary>
    public string Digest
    {
        get
        {
            var labels = Choice.Labels is { Count: > 0 } chosen ? string.Join(',', chosen.Order(StringComparer.Ordinal)) : "";
            var text = string.Create(CultureInfo.InvariantCulture, $"{Key}\n{Url.AbsoluteUri}\n{Choice.Threshold}\n{Choice.Most}\n{labels}");
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32];
        }
    }

    /// <summary>The form in Redis.</summary>
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(
        new WebhookRecord(Key.ToString(), Url.AbsoluteUri, Choice.Threshold, Choice.Most, Choice.Labels, SubmittedAt, Deadline, GiveUpAt, Caller),
        WebhookJson.Default.WebhookRecord);

    /// <summary>Reads what <see cref="Serialize"/> wrote; <see langword="null"/> when the bytes are not a webhook.</summary>
    public static Webhook? Deserialize(string id, byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, WebhookJson.Default.WebhookRecord) is { Key: { } key, Url: { } url } read
                ? new Webhook(
                    id, RequestKey.Parse(key), new Uri(url), new BoxChoice(read.Threshold, read.Most, read.Labels), read.SubmittedAt, read.Deadline, read.GiveUpAt, read.Caller)
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>A webhook in Redis, without its id.</summary>
internal sealed record WebhookRecord(
    string Key,
    string Url,
    float Threshold,
    int? Most,
    IReadOnlyCollection<string>? Labels,
    DateTimeOffset SubmittedAt,
    DateTimeOffset Deadline,
    DateTimeOffset GiveUpAt,
    string? Caller = null);

/// <summary>The content of a webhook.</summary>
internal sealed record WebhookPayload(string ContentType, byte[] Body);

/// <summary>The JSON of webhooks, in the format of the front end.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<AnswerSource>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WebhookRecord))]
[JsonSerializable(typeof(DetectionBody))]
[JsonSerializable(typeof(WebhookProblem))]
internal sealed partial class WebhookJson : JsonSerializerContext;
