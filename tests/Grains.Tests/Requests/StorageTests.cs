using System.Globalization;
using System.Net;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Tests.Batching;
using Detection.Objects;

namespace Detection.Grains.Tests.Requests;

/// <summary>Keys of requests in Redis, and the behaviour when a key is missing or damaged, or there is no room.</summary>
public sealed class StorageTests : RequestTest
{
    [Fact]
    public async Task Refused_request_leaves_no_keys()
    {
        await using var silo = await StartSiloAsync(("Detection:Queue:Capacity", "4"));
        await OccupyAsync();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => TryAsync(Next(), asynchronous: true)));

        Assert.Equal(4, outcomes.Count(outcome => outcome is null));
        Assert.Equal(56, outcomes.Count(outcome => outcome is FailureReason.Busy));
        Assert.Equal(5, await PicturesAsync());

        // Pictures of accepted requests are kept for longer than the requests may wait.
        await foreach (var key in Server.KeysAsync(pattern: "*picture:*"))
        {
            Assert.True(await Database.KeyTimeToLiveAsync(key) > PictureStore.UnacceptedExpiry);
        }

        Device.Open();
    }

    [Fact]
    public async Task Picture_refused_for_one_model_is_kept_for_a_request_of_another()
    {
        await using var silo = await StartSiloAsync(("Detection:Queue:Capacity", "1"));
        await OccupyAsync();
        var picture = Next();
        var accepted = await Client.SubmitAsync(picture, Patient);

        var refused = await Assert.ThrowsAsync<DetectionException>(() => Client.SubmitAsync(picture, Patient with { Iou = 0.3f }));

        Assert.Equal(FailureReason.Busy, refused.Reason);
        Device.Open();
        await DoneAsync(accepted.ImageKey);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Url_picture_lost_from_the_store_is_fetched_again(bool asynchronous)
    {
        var picture = Next();
        var fetched = 0;
        await using var host = Serve(picture, () => Task.FromResult(Interlocked.Increment(ref fetched) > 0));
        await using var silo = await StartSiloThatFetchesAsync(host);
        await OccupyAsync();
        if (asynchronous)
        {
            // It is removed between the fetch and the acceptance.
            var submitting = SubmitWhilePicturesGoAsync(host.Url);
            var ticket = await submitting;
            Device.Open();
            await DoneAsync(ticket.ImageKey);
            return;
        }

        var detecting = Client.DetectAsync(host.Url, Patient);
        await Eventually.Async(async () => await WaitingAsync() == 1, Eventually.Soon, "it waits");
        await Database.KeyDeleteAsync(Keys.Picture(TestPictures.ImageKey(picture)));
        Device.Open();

        Assert.Equal(TestPictures.ImageKey(picture), (await detecting).ImageKey);
        Assert.Equal(2, fetched);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Url_picture_lost_while_queued_is_fetched_again(bool isStillThere, bool isRedisFull)
    {
        var picture = Next();
        var fetched = 0;
        var patient = Patient with { Deadline = isRedisFull ? TimeSpan.FromSeconds(6) : Patient.Deadline };
        await using var host = Serve(picture, async () =>
        {
            if (Interlocked.Increment(ref fetched) == 1)
            {
                return true;
            }

            await Server.ConfigSetAsync("maxmemory", isRedisFull ? "1mb" : "0");
            return isStillThere;
        });
        await using var silo = await StartSiloThatFetchesAsync(host);
        await Server.ConfigSetAsync("maxmemory-policy", "noeviction");
        await OccupyAsync();
        var ticket = await Client.SubmitAsync(host.Url, patient);
        Assert.True(await Database.KeyDeleteAsync(Keys.Picture(ticket.ImageKey)));
        Device.Open();

        if (isStillThere && !isRedisFull)
        {
            await DoneAsync(ticket.ImageKey);
        }
        else
        {
            await Eventually.Async(
                async () => (await Client.GetStatusAsync(ticket.ImageKey)).Status == DetectionStatus.Failed, Eventually.Soon, "it failed");
        }

        Assert.True(isRedisFull ? fetched > 2 : fetched == 2);
        await Server.ConfigSetAsync("maxmemory", "0");
        Assert.NotNull(await Client.DetectAsync(Next(), Patient));
    }

    [Fact]
    public async Task Lost_picture_of_a_url_is_fetched_again_by_another_silo_when_the_first_stops()
    {
        var picture = Next();
        var asked = 0;
        var isFirst = true;
        await using var host = Serve(picture, async () =>
        {
            Interlocked.Increment(ref asked);
            if (Volatile.Read(ref asked) > 1 && Volatile.Read(ref isFirst))
            {
                // Until the silo is gone.
                await Eventually.Async(() => !Volatile.Read(ref isFirst), Eventually.Soon, "the silo stopped");
                throw new HttpListenerException();
            }

            return true;
        });
        DetectionTicket ticket;
        await using (var first = await StartSiloThatFetchesAsync(host))
        {
            await OccupyAsync();
            ticket = await Client.SubmitAsync(host.Url, Patient);
            Assert.True(await Database.KeyDeleteAsync(Keys.Picture(ticket.ImageKey)));
            Device.Open();
            await Eventually.Async(() => Volatile.Read(ref asked) == 2, Eventually.Soon, "the picture is fetched again");
        }

        Volatile.Write(ref isFirst, false);
        await using var second = await StartSiloThatFetchesAsync(host);

        await DoneAsync(ticket.ImageKey);
    }

    [Fact]
    public async Task Lost_picture_of_a_url_that_was_fetched_again_waits_for_a_place_in_a_full_queue()
    {
        var picture = Next();
        var asked = 0;
        List<DetectionTicket> others = [];
        await using var host = Serve(picture, async () =>
        {
            if (Interlocked.Increment(ref asked) == 2)
            {
                // One on the device, one in the queue.
                others.Add(await Client.SubmitAsync(Next(), Patient));
                await Eventually.Async(() => Device.Batches.Count == 2, Eventually.Soon, "the device is busy again");
                others.Add(await Client.SubmitAsync(Next(), Patient));
            }

            return true;
        });
        await using var silo = await StartSiloAsync(
            ("Detection:Fetch:AllowedNetworks:0", "127.0.0.1/32"),
            ("Detection:Fetch:AllowedPorts:0", $"{host.Url.Port}"),
            ("Detection:Queue:Capacity", "1"));
        await OccupyAsync();
        var ticket = await Client.SubmitAsync(host.Url, Patient);
        Assert.True(await Database.KeyDeleteAsync(Keys.Picture(ticket.ImageKey)));
        Device.LetOneEnd();
        await Eventually.Async(() => others.Count == 2, Eventually.Soon, "the queue is full");

        // Some attempts find the queue full.
        var refused = await Client.GetStatusAsync(ticket.ImageKey, TimeSpan.FromSeconds(2), DetectionStatus.Running);
        Assert.Equal(DetectionStatus.Running, refused.Status);
        Assert.Equal(FailureReason.Busy, await TryAsync(Next(), asynchronous: true));
        Device.Open();

        foreach (var accepted in others.Append(ticket))
        {
            await DoneAsync(accepted.ImageKey);
        }

        Assert.Equal(2, asked);
    }

    /// <summary>A queue of pictures that are lost at once: more of them than may be fetched from one site.</summary>
    [Fact]
    public async Task Lost_pictures_of_urls_are_fetched_again_until_their_deadline()
    {
        byte[][] pictures = [.. Enumerable.Range(0, 4).Select(_ => Next())];
        var answers = 0;
        var failing = false;
        await using var host = new LoopbackServer(async context =>
        {
            // After the loss the server fails three times, and holds its other answers for longer than a fetch may wait for its turn.
            var fails = Volatile.Read(ref failing) && Interlocked.Increment(ref answers) <= 3;
            if (Volatile.Read(ref failing) && !fails)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(700));
            }

            try
            {
                context.Response.StatusCode = fails ? 503 : 200;
                context.Response.ContentType = "image/jpeg";
                await context.Response.OutputStream.WriteAsync(pictures[int.Parse(context.Request.Url!.AbsolutePath[1..], CultureInfo.InvariantCulture)]);
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The fetch waited for its turn, and its time was over.
            }
        });
        await using var silo = await StartSiloAsync(
            ("Detection:Fetch:AllowedNetworks:0", "127.0.0.1/32"),
            ("Detection:Fetch:AllowedPorts:0", $"{host.Url.Port}"),
            ("Detection:Fetch:Timeout", "00:00:01"),
            ("Detection:Fetch:MaxConcurrency", "1"));
        await OccupyAsync();
        var tickets = new List<DetectionTicket>();
        for (var i = 0; i < pictures.Length; i++)
        {
            tickets.Add(await Client.SubmitAsync(new Uri(host.Url, $"/{i}"), Patient));
        }

        Volatile.Write(ref failing, true);
        foreach (var ticket in tickets)
        {
            Assert.True(await Database.KeyDeleteAsync(Keys.Picture(ticket.ImageKey)));
        }

        Device.Open();

        foreach (var ticket in tickets)
        {
            await DoneAsync(ticket.ImageKey);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(-1)]
    public async Task Unreadable_result_is_ignored_and_replaced(int length)
    {
        await using var silo = await StartSiloAsync();
        Device.Open();
        var picture = Next();
        var answer = await Client.DetectAsync(picture, Patient);
        var key = Keys.Result(new RequestKey(answer.Model, answer.ImageKey));
        var whole = (byte[])(await Database.StringGetAsync(key))!;
        byte[] damaged = length < 0 ? [.. Enumerable.Repeat((byte)0xFF, 300)] : whole[..length];
        await Database.StringSetAsync(key, damaged, TimeSpan.FromMinutes(5));

        Assert.Null(await Client.FindAsync(answer.ImageKey));
        Assert.Equal(DetectionStatus.Unknown, (await Client.GetStatusAsync(answer.ImageKey)).Status);
        await Database.StringSetAsync(key, "garbage", TimeSpan.FromMinutes(5));
        var again = await Client.DetectAsync(picture, Patient);

        Assert.Equal(AnswerSource.Computed, again.Source);
        Assert.Equal(answer.Objects, again.Objects);
        Assert.Equal(answer.Objects, (await Client.FindAsync(answer.ImageKey))!.Objects);
    }

    [Fact]
    public async Task Full_Redis_is_reported_serves_stored_results_and_recovers_at_once()
    {
        RedisServer.SkipUnlessInstalled();
        await using var silo = await StartSiloAsync(("Detection:Queue:Lease", "00:00:02"), ("Detection:Batching:MaxBatch", "1"));
        var running = await OccupyAsync();
        var waiting = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Client.SubmitAsync(Next(), Patient)));
        await Server.ConfigSetAsync("maxmemory-policy", "noeviction");
        await Server.ConfigSetAsync("maxmemory", "1mb");

        Assert.Equal(FailureReason.StorageFull, await TryAsync(Next(), asynchronous: true));
        Assert.Equal(FailureReason.StorageFull, await TryAsync(Next(), asynchronous: false));

        // Longer than the lease: it is renewed, accepted items are claimed and settled, and the silo stays a member.
        await Task.Delay(TimeSpan.FromSeconds(5));
        Device.Open();
        foreach (var ticket in waiting.Append(running))
        {
            await DoneAsync(ticket.ImageKey);
        }

        Assert.Equal(FailureReason.StorageFull, await TryAsync(Next(), asynchronous: false));
        Assert.Equal(Enumerable.Repeat(1, 9), Device.Batches);
        await Server.ConfigSetAsync("maxmemory", "0");
        Assert.Null(await TryAsync(Next(), asynchronous: false));
        Assert.Null(await TryAsync(Next(), asynchronous: true));
    }

    /// <summary>A server of one picture that answers 404 when <paramref name="isThere"/> says so.</summary>
    private static LoopbackServer Serve(byte[] picture, Func<Task<bool>> isThere) => new(async context =>
    {
        try
        {
            context.Response.StatusCode = await isThere() ? 200 : 404;
            context.Response.ContentType = "image/jpeg";
            await context.Response.OutputStream.WriteAsync(picture);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Nobody waits for it any more.
        }
    });

    private Task<TestSilo> StartSiloThatFetchesAsync(LoopbackServer host) => StartSiloAsync(
        ("Detection:Fetch:AllowedNetworks:0", "127.0.0.1/32"), ("Detection:Fetch:AllowedPorts:0", $"{host.Url.Port}"));

    private async Task<DetectionTicket> SubmitWhilePicturesGoAsync(Uri url)
    {
        using var ended = new CancellationTokenSource();
        var going = Task.Run(async () =>
        {
            for (var i = 0; i < 200 && !ended.IsCancellationRequested; i++)
            {
                await foreach (var key in Server.KeysAsync(pattern: "*picture:*"))
                {
                    // In one step: between a check and a removal the request may be accepted.
                    await Database.ScriptEvaluateAsync(
                        "if redis.call('PTTL', KEYS[1]) <= tonumber(ARGV[1]) then redis.call('DEL', KEYS[1]) end",
                        [key],
                        [(long)PictureStore.UnacceptedExpiry.TotalMilliseconds]);
                }
            }
        });
        var ticket = await Client.SubmitAsync(url, Patient);
        await ended.CancelAsync();
        await going;
        return ticket;
    }

    private async Task<int> PicturesAsync()
    {
        var count = 0;
        await foreach (var _ in Server.KeysAsync(pattern: "*picture:*"))
        {
            count++;
        }

        return count;
    }
}
