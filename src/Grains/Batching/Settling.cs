using System.Buffers;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Objects;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>
/// Ends the pictures that came off a device: publishes their outcomes and reports them to their requests, and returns the pictures on which the
/// device failed to the queue.
/// </summary>
internal sealed class Settling(
    BatcherDevice device, BatchStores stores, BatchSettings settings, BatchingMetrics metrics, ILogger logger, CancellationToken stopping)
{
    /// <summary>
    /// Settles pictures that came off the device, and returns those on which the device failed to the queue. <see langword="false"/> when the device
    /// was quarantined meanwhile: its outcomes are not published, and the items return to the queue when the batcher finishes.
    /// </summary>
    public async Task<bool> EndAsync(
        HeldLease lease, List<(QueuedItem Item, PictureOutcome? Outcome)> outcomes, DateTimeOffset claimedAt, int batchSize, BatchTrace? trace)
    {
        if (!device.Watch.Tracker.Serves)
        {
            return false;
        }

        var sorted = Sort(outcomes, claimedAt, batchSize);

        // The watch gets the outcomes first, so that nothing more is claimed before the test picture was run on the device.
        device.Watch.Ended(sorted.Detected, sorted.Failed.Count, sorted.Error);
        if (sorted.Ended.Count > 0)
        {
            await SettleAsync(lease, sorted.Ended, trace);
        }

        if (sorted.Failed.Count > 0)
        {
            logger.LogDeviceFailed(device.Key, sorted.Failed.Count, sorted.Error!.Message);
            await ReturnAsync(lease.Id, await device.Watch.IsSickAsync(device.Session, sorted.Error), sorted.Failed, sorted.Error, trace);
        }

        if (sorted.Wrong.Count > 0)
        {
            logger.LogWrongPictures(device.Key, sorted.Wrong.Count, sorted.Wrong[0].Key.ImageKey);
            metrics.WrongPictures(device.Key, sorted.Wrong.Count);
            await stores.Pictures.ReconnectAsync();
            await ReturnAsync(lease.Id, false, sorted.Wrong, new WrongPictureException(), trace);
        }

        return true;
    }

    private SortedOutcomes Sort(List<(QueuedItem Item, PictureOutcome? Outcome)> outcomes, DateTimeOffset claimedAt, int batchSize)
    {
        var sorted = new SortedOutcomes(new(outcomes.Count), [], []);
        foreach (var (item, outcome) in outcomes)
        {
            if (outcome is null)
            {
                sorted.Ended.Add((item, RequestFailures.PictureLost));
                continue;
            }

            if (outcome.Error is WrongPictureException)
            {
                sorted.Wrong.Add(item);
                continue;
            }

            if (outcome.Kind == OutcomeKind.Failed && device.Watch.IsDeviceError(outcome.Error))
            {
                sorted.Failed.Add(item);
                sorted.Error = outcome.Error;
                continue;
            }

            if (outcome.Error is ModelException invalid)
            {
                device.Watch.ReportInvalidOutput(invalid);
            }
            else if (outcome.Kind == OutcomeKind.Failed)
            {
                logger.LogFailed(outcome.Error is PictureException ? null : outcome.Error, item.Key.Item, outcome.Error?.Message);
            }

            sorted.Detected += outcome.Kind == OutcomeKind.Detected ? 1 : 0;
            sorted.Ended.Add((item, Endings.Of(item, outcome, claimedAt, batchSize)));
        }

        return sorted;
    }

    /// <summary>Returns items to the queue for another attempt, by another device if there is one. Items that failed too often end as failed.</summary>
    private async Task ReturnAsync(string id, bool isSick, List<QueuedItem> items, Exception error, BatchTrace? trace)
    {
        var outcomes = await stores.Queue.ReturnAsync(device.Key.Model, id, device.Key.Device, isSick, [.. items.Select(static item => item.Key)]);
        var now = stores.Clock.GetUtcNow();
        for (var i = 0; i < items.Count; i++)
        {
            if (outcomes[i] == ReturnOutcome.DeadLetter)
            {
                logger.LogDeadLetter(error, items[i].Key.Item, settings.Queue.MaxAttempts);
                if (error is ModelException invalid)
                {
                    device.Watch.ReportInvalidOutput(invalid);
                }

                if (error is WrongPictureException)
                {
                    await stores.Pictures.RemoveAsync(items[i].Key.ImageKey);
                }

                Report(items[i], Endings.DeadLetter(error, settings.Queue.MaxAttempts), now, trace);
            }
        }
    }

    /// <summary>
    /// Publishes outcomes in Redis, then reports them to the request grains. Items that this batcher no longer holds are left to their new batcher.
    /// </summary>
    private async Task SettleAsync(HeldLease lease, List<(QueuedItem Item, RequestSnapshot End)> ended, BatchTrace? trace)
    {
        var settlements = new List<Settlement>(ended.Count);
        foreach (var (item, end) in ended)
        {
            if (end.Result is { } result)
            {
                var buffer = new ArrayBufferWriter<byte>(512);
                stores.Results.Serialize(result, buffer);
                settlements.Add(new Settlement(item.Key, buffer.WrittenMemory));
            }
            else
            {
                var isLost = end.Failure?.Reason == FailureReason.PictureLost;
                settlements.Add(new Settlement(item.Key, default, end.Status == RequestStatus.Expired, isLost ? item.Deadline : null));
            }
        }

        var settled = await SettleAsync(lease, settlements);
        var now = stores.Clock.GetUtcNow();
        for (var i = 0; i < ended.Count; i++)
        {
            if (settled[i] != SettleOutcome.Settled)
            {
                logger.LogNotSettled(ended[i].Item.Key.Item, settled[i]);
                continue;
            }

            Report(ended[i].Item, ended[i].End, now, trace);
        }
    }

    /// <summary>Settles, and retries as long as Redis is unreachable: the work is done and would only be done again.</summary>
    private async Task<SettleOutcome[]> SettleAsync(HeldLease lease, List<Settlement> settlements)
    {
        var number = lease.NextSettle();
        for (var again = false; ; again = true)
        {
            try
            {
                return await stores.Queue.SettleAsync(device.Key.Model, lease.Id, settlements, settings.ResultExpiry, number, again);
            }
            catch (Exception e) when (RedisConnection.IsOutage(e) && !stopping.IsCancellationRequested)
            {
                logger.LogCannotSettle(device.Key, settlements.Count, Batcher.RetryDelay, e.Message);
                device.Throughput.Progressed();
                await Task.Delay(Batcher.RetryDelay, stores.Clock, CancellationToken.None);
            }
        }
    }

    /// <summary>Counts an outcome and reports it to the request grain.</summary>
    private void Report(QueuedItem item, RequestSnapshot end, DateTimeOffset now, BatchTrace? trace)
    {
        device.Throughput.Ended(end.Status == RequestStatus.Failed);
        metrics.Ended(device.Key, item, end, now);
        trace?.Enter(item);
        stores.Request(item.Key).Complete(end).Ignore();
        trace?.Ended(item, end);
    }

    /// <summary>Pictures by what happens next.</summary>
    /// <param name="Ended">Their requests end.</param>
    /// <param name="Failed">The device failed on them.</param>
    /// <param name="Wrong">Redis returned the bytes of other pictures.</param>
    private sealed record SortedOutcomes(List<(QueuedItem Item, RequestSnapshot End)> Ended, List<QueuedItem> Failed, List<QueuedItem> Wrong)
    {
        /// <summary>Pictures with a result.</summary>
        public int Detected { get; set; }

        /// <summary>The error of the device; <see langword="null"/> when it did not fail.</summary>
        public Exception? Error { get; set; }
    }
}
