using System.Diagnostics.Metrics;

namespace Detection.Grains.Webhooks;

/// <summary>The meter <c>Detection.Webhooks</c>.</summary>
internal sealed class WebhookMetrics
{
    private const string Outcome = "outcome";

    private readonly Counter<long> _ended;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _held;
    private int _waiting;

    public WebhookMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Detection.Webhooks");
        _ended = meter.CreateCounter<long>("detection.webhooks", "{webhook}", "Webhooks that ended, by outcome: delivered or givenUp.");
        _retries = meter.CreateCounter<long>("detection.webhooks.retries", "{attempt}", "Failed attempts to deliver a webhook that are retried.");
        _held = meter.CreateCounter<long>(
            "detection.webhooks.held", "{webhook}", "Deliveries that were delayed because their receiver reached its limit of concurrent deliveries.");
        meter.CreateObservableGauge(
            "detection.webhooks.waiting", () => Volatile.Read(ref _waiting), "{webhook}", "Webhooks of the whole cluster that wait to be delivered.");
    }

    /// <summary>Delivery starts. Rare events are shown as 0 from then on, so that the first one is visible as an increase.</summary>
    public void Started()
    {
        _ended.Add(0, new KeyValuePair<string, object?>(Outcome, "delivered"));
        _ended.Add(0, new KeyValuePair<string, object?>(Outcome, "givenUp"));
        _retries.Add(0);
        _held.Add(0);
    }

    public void Delivered() => _ended.Add(1, new KeyValuePair<string, object?>(Outcome, "delivered"));

    public void GivenUp() => _ended.Add(1, new KeyValuePair<string, object?>(Outcome, "givenUp"));

    public void Held() => _held.Add(1);

    public void Retried() => _retries.Add(1);

    public void Waiting(int webhooks) => Volatile.Write(ref _waiting, webhooks);
}
