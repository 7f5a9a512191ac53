using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Detection.Inference.Manifest;
using Detection.Inference.Pulling;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Pulling;

/// <summary>One model that this silo pulls, again and again until it is there.</summary>
internal sealed partial class ModelPull
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(5);

    private readonly PullOrder _order;
    private readonly WantedModel? _wanted;
    private readonly ModelPuller _puller;
    private readonly WantedBoard _board;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended;
    private readonly Task _running;
    private volatile PullReport _report;

    /// <summary>Begins when the pull before it of the same name has stopped.</summary>
    public ModelPull(
        PullOrder order, WantedModel? wanted, ModelPuller puller, WantedBoard board, PullOptions options, TimeProvider time, ILogger logger, ModelPull? before, CancellationToken stoppingToken)
    {
        (_order, _wanted, _puller, _board, _time, _logger) = (order, wanted, puller, board, time, logger);
        _report = new PullReport(order.Name, order.Source.Shown, PullState.Pulling, 0, null, null);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        _running = Task.Run(() => RunAsync(options.RetryDelay, before), CancellationToken.None);
    }

    public string Name => _order.Name;

    public PullReport Report() => _report;

    /// <summary>Whether it is for this order and this record.</summary>
    public bool IsFor(PullOrder order, WantedModel? wanted) =>
        (_order with { Source = order.Source }) == order && _order.Source.Text == order.Source.Text && _wanted?.Id == wanted?.Id;

    /// <summary>Stops it; what has arrived stays.</summary>
    public async Task StopAsync()
    {
        await _ended.CancelAsync();
        await _running;
    }

    private async Task RunAsync(TimeSpan delay, ModelPull? before)
    {
        if (before is not null)
        {
            await before.StopAsync();
        }

        try
        {
            while (!await TryAsync(delay))
            {
                await Task.Delay(delay, _time, _ended.Token);
                delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops, or the model is not wanted any more.
        }
    }

    private async Task<bool> TryAsync(TimeSpan delay)
    {
        try
        {
            var there = _puller.Find(_order.Name) is { } found && _order.IsMetBy(found) ? found : null;

            // A record that no silo has answered yet asks what the source has now; a setting is met by what it had.
            var pulled = there is not null && (_wanted is null or { Pin: not null }) ? there : await _puller.PullAsync(_order, Show, _ended.Token);
            if (_wanted is { Pin: null })
            {
                await _board.PinAsync(_wanted.Id, new ModelPin(pulled.Revision, pulled.Sha256));
            }

            if (there is null)
            {
                LogPulled(_order.Name, pulled.Source, pulled.Sha256);
            }

            var bytes = pulled.Files.Sum(static file => file.Length);
            _report = _report with { State = PullState.Done, Bytes = bytes, Total = bytes, Problem = null };
            return true;
        }
        catch (Exception e) when (e is ModelException || RedisConnection.IsOutage(e))
        {
            LogFailed(_order.Name, _order.Source.Shown, delay, e.Message);
            _report = _report with { State = PullState.Failed, Problem = e.Message };
            return false;
        }
#pragma warning disable CA1031 // An unforeseen error must not end the attempts.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogBroken(e, _order.Name, _order.Source.Shown, delay);
            _report = _report with { State = PullState.Failed, Problem = e.Message };
            return false;
        }
    }

    private void Show(PullProgress progress) => _report = _report with { State = PullState.Pulling, Bytes = progress.Bytes, Total = progress.Total };

    [LoggerMessage(11, LogLevel.Information, "Pulled the model {Model} from {Source}, SHA-256 {Sha256}; it is loaded next.", EventName = "ModelPulled")]
    private partial void LogPulled(string model, string source, string sha256);

    [LoggerMessage(12, LogLevel.Warning, "Pulling the model {Model} from {Source} failed; retrying in {Delay}: {Reason}", EventName = "PullFailed")]
    private partial void LogFailed(string model, string source, TimeSpan delay, string reason);

    [LoggerMessage(13, LogLevel.Error, "Pulling the model {Model} from {Source} failed; retrying in {Delay}.", EventName = "PullBroken")]
    private partial void LogBroken(Exception exception, string model, string source, TimeSpan delay);
}
