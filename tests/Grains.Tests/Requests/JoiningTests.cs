using Detection.Client;
using Detection.Objects;

namespace Detection.Grains.Tests.Requests;

/// <summary>Callers that ask for a picture while another caller submits it, cancels, or is refused.</summary>
public sealed class JoiningTests : RequestTest
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(1, 20)]
    [InlineData(2, 20)]
    public async Task Caller_that_joins_a_refused_request_is_refused(int silos, int callers)
    {
        await using var first = await StartSiloAsync(("Detection:Queue:Capacity", "1"));
        await using var second = silos == 1 ? null : await StartSiloWithoutDeviceAsync(("Detection:Queue:Capacity", "1"));
        await OccupyAsync();
        var waiting = await Client.SubmitAsync(Next(), Patient);
        await Eventually.Async(async () => await WaitingAsync() == 1, Eventually.Soon, "the queue is full");

        var accepted = 0;
        for (var round = 0; round < 20; round++)
        {
            var picture = Next();
            var outcomes = await Task.WhenAll(Enumerable.Range(0, callers).Select(i => TryAsync(picture, asynchronous: i % 3 != 2)));
            accepted += outcomes.Count(outcome => outcome is not FailureReason.Busy);
            Assert.Equal(DetectionStatus.Unknown, (await Client.GetStatusAsync(TestPictures.ImageKey(picture))).Status);
        }

        Assert.Equal(0, accepted);
        Device.Open();
        await DoneAsync(waiting.ImageKey);
    }

    [Fact]
    public async Task Asynchronous_caller_that_joins_has_its_own_deadline_in_the_queue_and_on_the_device()
    {
        await using var silo = await StartSiloAsync();
        var onDevice = Next();
        var short1 = Client.DetectAsync(onDevice, new DetectionOptions { Deadline = TimeSpan.FromSeconds(1.5) });
        await Eventually.Async(() => Device.Batches.Count == 1, Eventually.Soon, "the first is on the device");
        var queued = Next();
        var short2 = Client.DetectAsync(queued, new DetectionOptions { Deadline = TimeSpan.FromSeconds(1.5) });
        await Eventually.Async(async () => await WaitingAsync() == 1, Eventually.Soon, "the second waits");

        DetectionTicket[] joined = [await Client.SubmitAsync(onDevice), await Client.SubmitAsync(queued)];
        Assert.Equal(FailureReason.DeadlineExceeded, (await Assert.ThrowsAsync<DetectionException>(() => short1)).Reason);
        Assert.Equal(FailureReason.DeadlineExceeded, (await Assert.ThrowsAsync<DetectionException>(() => short2)).Reason);
        Device.Open();

        foreach (var ticket in joined)
        {
            Assert.Equal(DetectionStatus.Done, (await Client.GetStatusAsync(ticket.ImageKey, wait: TimeSpan.FromSeconds(30))).Status);
        }
    }

    [Fact]
    public async Task Request_that_one_caller_leaves_while_another_joins_asynchronously_is_done()
    {
        await using var silo = await StartSiloAsync();
        await OccupyAsync();
        var random = new Random(7);
        var tickets = new List<DetectionTicket>();
        for (var round = 0; round < 60; round++)
        {
            var picture = Next();
            using var leaving = new CancellationTokenSource();
            var left = Client.DetectAsync(picture, Patient, leaving.Token);
            await Eventually.Async(
                async () => (await Client.GetStatusAsync(TestPictures.ImageKey(picture))).Status == DetectionStatus.Queued, Eventually.Soon, "it waits");
            var joining = Task.Run(() => Client.SubmitAsync(picture));
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(1500)));
            await leaving.CancelAsync();
            tickets.Add(await joining);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        }

        Device.Open();
        foreach (var ticket in tickets)
        {
            Assert.Equal(DetectionStatus.Done, (await Client.GetStatusAsync(ticket.ImageKey, wait: TimeSpan.FromSeconds(30))).Status);
        }
    }
}
