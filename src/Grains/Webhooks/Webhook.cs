using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;

namespace Detection.Grains.Webhooks;

/// <summary>One URL that is to be told of the end of one request.</summary>
/// <param name="Id">Identifies it to the receiver; the same in every attempt.</param>
/// <param name="Key">The request.</param>
/// <param name="Url">Who is to be told.</param>
/// <param name="Choice">What of the result.</param>
/// <param name="SubmittedAt">When it was taken on.</param>
/// <param name="Deadline">Until when the request may take; from then on an unknown request is a lost one.</param>
/// <param name="GiveUpAt">When it is given up.</param>
/// <param name="Caller">Whose share of webhooks it takes; <see langword="null"/> for a caller without a name.</param>
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
    /// <summary>Hash of what the webhook sends, to which URL. Two webhooks with the same hash are one.</summary>
    public string Digest
    {
        get
        {
            var labels = Choice.Labels is { Count: > 0 } chosen ? string.Join(',', chosen.Order(StringComparer.Ordinal)) : "";
            var text = string.Create(CultureInfo.InvariantCulture, $"{Key}\n{Url.AbsoluteUri}\n{Choice.Threshold}\n{Choice.Most}\n{labels}");
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32];
        }
    }

    /// <summary>As it stands in Redis.</summary>
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(
        new WebhookRecord(Key.ToString(), Url.AbsoluteUri, Choice.Threshold, Choice.Most, Choice.Labels, SubmittedAt, Deadline, GiveUpAt, Caller),
        WebhookJson.Default.WebhookRecord);

    /// <summary>Reads what <see cref="Serialize"/> wrote; <see langword="null"/> when it is something else.</summary>
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

/// <summary>A webhook in Redis, but for its id.</summary>
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

/// <summary>What a webhook says.</summary>
/// <param name="ContentType">Its content type.</param>
/// <param name="Body">Its bytes, the same in every attempt.</param>
internal sealed record WebhookPayload(string ContentType, byte[] Body);

/// <summary>All JSON of webhooks, written as the front end writes it.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<AnswerSource>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WebhookRecord))]
[JsonSerializable(typeof(DetectionBody))]
[JsonSerializable(typeof(WebhookProblem))]
internal sealed partial class WebhookJson : JsonSerializerContext;
