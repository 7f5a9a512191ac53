using Detection.Client;
using Detection.Contracts.Models;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Requests;

/// <summary>Models that are replaced and removed while requests for them wait.</summary>
public sealed class RetiredModelTests : RequestTest
{
    private static readonly InvalidOperationException OutOfMemory = new("Failed to allocate memory for requested buffer of size 8388608");

    private readonly ModelFolder _models = new();

    private static DetectionOptions For(string model) => Patient with { Model = model };

    protected override void Dispose() => _models.Dispose();

    [Fact]
    public async Task Accepted_request_is_found_by_its_version_after_the_model_was_replaced()
    {
        _models.Lay("people", 0.4);
        await using var silo = await StartSiloAsync(_models.Settings);
        var first = await ServedAsync("people");
        var busy = await Client.SubmitAsync(Next(), For("people"));
        await Eventually.Async(() => Device.Batches.Count == 1, Eventually.Soon, "the device is busy");
        var waiting = await Client.SubmitAsync(Next(), For("people"));
        Assert.Equal((first.Id, first.Id), (busy.Model!, waiting.Model!));

        _models.Lay("people", 0.3);
        var second = await ReplacedAsync(first);
        Assert.Equal(DetectionStatus.Queued, (await Client.GetStatusAsync(waiting.ImageKey, options: For(waiting.Model!))).Status);

        // A client reads the models again after a second, and uses the old ones until then.
        await Eventually.Async(
            async () => await Client.GetStatusAsync(waiting.ImageKey, options: For("people")) is { Status: DetectionStatus.Unknown } other && other.Model == second.Id,
            Eventually.Soon,
            "the name means the second version");

        Device.Open();
        foreach (var ticket in new[] { busy, waiting })
        {
            var done = await Client.GetStatusAsync(ticket.ImageKey, TimeSpan.FromSeconds(30), options: For(ticket.Model!));
            Assert.Equal((DetectionStatus.Done, first.Id), (done.Status, done.Answer?.Model));
        }

        // A client that has never read the version still knows its labels.
        await GoneAsync(first.Id);
        await using var services = NewClient(out var fresh);
        var found = await fresh.GetStatusAsync(waiting.ImageKey, options: For(waiting.Model!));
        Assert.Equal((DetectionStatus.Done, first.Id, "person"), (found.Status, found.Answer?.Model, found.Answer?.LabelOf(found.Answer.Objects[0])));
        var never = await fresh.GetStatusAsync(TestPictures.ImageKey(Next()), options: For(first.Id));
        Assert.Equal(DetectionStatus.Unknown, never.Status);
        var refused = await Assert.ThrowsAsync<DetectionException>(() => fresh.DetectAsync(Next(), For(first.Id)));
        Assert.Equal(FailureReason.ModelNotFound, refused.Reason);
        Assert.Equal($"Model '{first.Id}' was replaced by '{second.Id}' and accepts no new pictures.", refused.Message);
        Assert.Equal(second.Id, (await fresh.DetectAsync(Next(), For("people"))).Model);
    }

    [Fact]
    public async Task Removed_model_takes_no_requests_and_finishes_accepted_ones()
    {
        _models.Lay("people");
        await using var silo = await StartSiloAsync(_models.Settings);
        var model = await ServedAsync("people");
        await using var services = NewClient(out var other);
        var waiting = new List<DetectionTicket>();
        for (var i = 0; i < 3; i++)
        {
            waiting.Add(await Client.SubmitAsync(Next(), For("people")));
        }

        var asking = Client.DetectAsync(Next(), For("people"));
        await Eventually.Async(async () => await LengthAsync(model.Id) == 3, Eventually.Soon, "three wait behind the one on the device");

        _models.Remove("people");
        await Eventually.Async(async () => (await Client.GetModelsAsync()).Count == 0, Eventually.Soon, "nobody is offered it");
        foreach (var client in new[] { Client, other })
        {
            // Silos read their own reports a second later; until then the version may still be accepted.
            await Eventually.Async(
                async () => (await Assert.ThrowsAsync<DetectionException>(() => client.DetectAsync(Next(), For("people") with { Deadline = TimeSpan.FromSeconds(1) })))
                    .Reason == FailureReason.ModelNotFound,
                Eventually.Soon,
                "it is refused");
            foreach (var name in new[] { "people", model.Id })
            {
                var refused = await Assert.ThrowsAsync<DetectionException>(() => client.DetectAsync(Next(), For(name)));
                Assert.Equal((FailureReason.ModelNotFound, $"Model '{name}' was removed and accepts no new pictures."), (refused.Reason, refused.Message));
                Assert.Equal(FailureReason.ModelNotFound, (await Assert.ThrowsAsync<DetectionException>(() => client.SubmitAsync(Next(), For(name)))).Reason);
            }
        }

        // Longer than a version with an empty queue is kept.
        await Task.Delay(TimeSpan.FromSeconds(6));
        Device.Open();
        Assert.Equal(model.Id, (await asking).Model);
        foreach (var ticket in waiting)
        {
            Assert.Equal(DetectionStatus.Done, (await Client.GetStatusAsync(ticket.ImageKey, TimeSpan.FromSeconds(30), options: For(ticket.Model!))).Status);
        }

        _models.Lay("people");
        await ServedAsync("people");
        Assert.Equal(model.Id, (await Client.DetectAsync(Next(), For("people"))).Model);
    }

    [Fact]
    public async Task Request_with_an_outdated_model_gets_the_version_that_is_served()
    {
        Device.Open();
        _models.Lay("people", 0.4);
        await using var silo = await StartSiloAsync(_models.Settings);
        var first = await ServedAsync("people");
        await using var services = NewClient(out var stale);
        await stale.DetectAsync(Next(), For("people"));

        // A client reads the models again after a second. This one asks continuously and notices the change late, but never fails.
        var asking = Task.Run(async () =>
        {
            var models = new HashSet<string>();
            while (models.Count < 3)
            {
                models.Add((await stale.DetectAsync(Next(), For("people"))).Model);
                models.Add((await stale.SubmitAsync(Next(), For("people"))).Model!);
            }

            return models;
        });
        _models.Lay("people", 0.3);
        var second = await ReplacedAsync(first);
        _models.Lay("people", 0.2);
        var third = await ReplacedAsync(second);

        Assert.Equal([first.Id, second.Id, third.Id], await asking.WaitAsync(Eventually.Soon));
    }

    [Fact]
    public async Task Accepted_request_that_can_no_longer_run_ends_with_the_reason_and_leaves_nothing()
    {
        _models.Lay("people");
        _models.Lay("staying");
        await using var silo = await StartSiloAsync([.. _models.Settings, ("Detection:DeviceHealth:ProbeInterval", "00:00:01"), ("Detection:DeviceHealth:RetryDelay", "00:01:00")]);
        var model = await ServedAsync("people");
        var waiting = new List<DetectionTicket>();
        for (var i = 0; i < 5; i++)
        {
            waiting.Add(await Client.SubmitAsync(Next(), For("people") with { Caller = i % 2 == 0 ? null : "alice" }));
        }

        var asking = Client.DetectAsync(Next(), For("people"));
        await Eventually.Async(async () => await LengthAsync(model.Id) > 2, Eventually.Soon, "they wait");

        // The device is out of service, so the version is unloaded while items wait for it.
        Device.Sickness = OutOfMemory;
        Device.Open();
        _models.Remove("people");

        var refused = await Assert.ThrowsAsync<DetectionException>(() => asking);
        Assert.Equal(FailureReason.ModelNotFound, refused.Reason);
        foreach (var ticket in waiting)
        {
            var ended = await Client.GetStatusAsync(ticket.ImageKey, TimeSpan.FromSeconds(30), options: For(ticket.Model!));
            Assert.Equal((DetectionStatus.Failed, FailureReason.ModelGone), (ended.Status, ended.Failure?.Reason));
            Assert.Contains("was removed or replaced while the picture was queued", ended.Failure!.Message, StringComparison.Ordinal);
        }

        Assert.Empty(Server.Keys(pattern: Keys.ItemPrefix(model.Id).Replace("[", "\\[", StringComparison.Ordinal) + "*"));
        Assert.Equal(0, await LengthAsync(model.Id));
        Assert.False(await Database.KeyExistsAsync(Keys.Callers(model.Id)));
    }

    [Fact]
    public async Task Item_in_the_queue_of_a_version_that_is_gone_is_removed()
    {
        Device.Open();
        _models.Lay("people");
        await using var silo = await StartSiloAsync(_models.Settings);
        var model = await ServedAsync("people");
        var key = new RequestKey(model.Id, TestPictures.ImageKey(Next()));
        _models.Remove("people");
        await GoneAsync(model.Id);

        // As a silo does that does not know the removal yet; its batcher has gone with another silo.
        var queue = silo.Services.GetRequiredService<RequestQueue>();
        var batchers = silo.Services.GetRequiredService<BatcherQueue>();
        var now = silo.Services.GetRequiredService<ClusterClock>().GetUtcNow();
        var dead = new RequestKey(model.Id, TestPictures.ImageKey(Next()));
        await queue.EnqueueAsync(new QueuedItem(dead, now + TimeSpan.FromMinutes(1), now), int.MaxValue, asynchronous: true);
        await batchers.TakeLeaseAsync(model.Id, "dead");
        await batchers.ClaimAsync(model.Id, "dead", 1);
        await queue.EnqueueAsync(new QueuedItem(key, now + TimeSpan.FromMinutes(1), now), int.MaxValue, asynchronous: true);

        await Eventually.Async(async () => !await queue.ContainsAsync(key) && !await queue.ContainsAsync(dead), Eventually.Soon, "both have ended");
        Assert.Equal(0, await queue.LengthAsync(model.Id));
        Assert.False(await Database.KeyExistsAsync(Keys.InFlight(model.Id, "dead")));
    }

    [Fact]
    public async Task Models_added_and_removed_under_load_leave_no_request_without_its_answer()
    {
        Device.Open();
        _models.Lay("staying");
        _models.Lay("coming");
        await using var silo = await StartSiloAsync(_models.Settings);
        await ServedAsync("coming");
        using var ends = new CancellationTokenSource();
        var askers = Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            var (answers, refusals) = (0, 0);
            while (!ends.IsCancellationRequested)
            {
                try
                {
                    if (i % 2 == 0)
                    {
                        await Client.DetectAsync(Next(), For("coming"));
                    }
                    else
                    {
                        var ticket = await Client.SubmitAsync(Next(), For("coming"));
                        var end = await Client.GetStatusAsync(ticket.ImageKey, TimeSpan.FromSeconds(30), options: For(ticket.Model!));
                        Assert.True(end.Failure is null or { Reason: FailureReason.ModelGone }, $"{end.Failure}");
                        Assert.True(end.IsFinal, $"{end.Status}");
                    }

                    answers++;
                }
                catch (DetectionException e) when (e.Reason == FailureReason.ModelNotFound)
                {
                    refusals++;
                    await Task.Delay(20);
                }
            }

            return (answers, refusals);
        })).ToList();
        for (var round = 0; round < 3; round++)
        {
            var model = await ServedAsync("coming");
            _models.Remove("coming");
            await Eventually.Async(async () => (await Client.GetModelsAsync()).Count == 1, Eventually.Soon, "it is offered no more");
            if (round == 1)
            {
                await GoneAsync(model.Id);
            }

            _models.Lay("coming", 0.3 - (round / 100.0));
            await ServedAsync("coming");
        }

        await ends.CancelAsync();
        foreach (var (answers, refusals) in await Task.WhenAll(askers))
        {
            Assert.True(answers > 0 && refusals > 0, $"{answers} answers, {refusals} refusals");
        }
    }

    private async Task<ModelInfo> ServedAsync(string name)
    {
        await Eventually.Async(async () => (await Client.GetModelsAsync()).Any(model => model.Name == name), Eventually.Soon, $"{name} is served");
        return (await Client.GetModelsAsync()).Single(model => model.Name == name);
    }

    private async Task<ModelInfo> ReplacedAsync(ModelInfo before)
    {
        await Eventually.Async(
            async () => (await Client.GetModelsAsync()).Any(model => model.Name == before.Name && model.Id != before.Id), Eventually.Soon, "the new version is served");
        return (await Client.GetModelsAsync()).Single(model => model.Name == before.Name);
    }

    private Task GoneAsync(string model) => Eventually.Async(
        async () => (await Reports.GetSilosAsync()) is { Count: > 0 } silos && silos.All(silo => silo.Models.All(of => of.Id != model)), Eventually.Soon, "the version is let go of");

    private Task<long> LengthAsync(string model) => Database.ListLengthAsync(Keys.Queue(model));
}
